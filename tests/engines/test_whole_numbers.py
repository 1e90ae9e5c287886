"""Whole numbers by hand: bits, unsigned ones above 2**63, and what no type holds beside another."""

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.engines import ENGINES
from flavorframe.errors import BranchError, ExpressionError, FlavorframeError

events = ff.events()
part = events.gen_part
flags, code = part.status_flags, part.code
u, s, x, b = (events[name] for name in ("u", "s", "x", "b"))

U = [5, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1]
S = [-1, 2**53 + 1, 2**63 - 1, -(2**63), 3, 0]
X = [5.0, 2.0**53, 2.0**63, 2.0**63, float("nan"), 2.0**64]
FLAGS = [[1, 2, 3], [], [4, -2], [2**30], [7], []]


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "numbers.root"
    counts = list(map(len, FLAGS))
    parts = ak.unflatten(np.array([v for each in FLAGS for v in each], np.int32), counts)
    codes = ak.unflatten(np.array([2**64 - 1, 1, 2, 0, 0, 3, 4], np.uint64), counts)
    content = {
        "u": np.array(U, np.uint64), "s": np.array(S, np.int64), "x": np.array(X),
        "b": np.array([0, 1, 127, 128, 200, 255], np.uint8),
        "GenPart": ak.zip({"statusFlags": parts, "code": codes}),
    }  # fmt: skip
    with uproot.recreate(path) as written:
        written.mktree("Events", {name: ak.type(ak.Array(v)) for name, v in content.items()})
        written["Events"].extend(content)
    return str(path)


def run(engine, file, analysis):
    return analysis.run(ff.dataset(file), engine=engine, progress=False)


def rows(engine, file, **columns):
    table = run(engine, file, ff.Analysis(ff.Selection(events), rows=ff.snapshot(**columns))).rows
    return {name: table[name].tolist() for name in columns}


def test_bits_of_flags(engine, file):
    cuts = {
        "mask": flags & 2, "bit": flags.bit(1), "numpy": np.bitwise_and(flags, 2) != 0,
        "cut string": ff.parse("(f & 2) != 0", f=flags),
        "three": (flags & 3) == 3, "not": ~flags == -4, "xor": (flags ^ 2) == 0,
        "shifted": (flags >> 29) > 0, "sum": (1 << flags) == 8,
    }  # fmt: skip
    found = {name: run(engine, file, ff.Analysis(ff.Selection(part).cut("c", cut)))
             for name, cut in cuts.items()}  # fmt: skip
    assert {name: result.cutflow["c"].candidates for name, result in found.items()} == {
        "mask": 4, "bit": 4, "numpy": 4, "cut string": 4, "three": 2, "not": 1, "xor": 1,
        "shifted": 1, "sum": 1,
    }  # fmt: skip


def test_bits_of_what_is_missing_are_missing(engine, file):
    linked = part.at(1).status_flags
    found = rows(engine, file, bits=linked & 2, inverted=~linked, bit=linked.bit(1))
    assert np.isnan([values[1] for values in found.values()]).all()
    assert [values[2] for values in found.values()] == [-2 & 2, 1, 1]


def test_reductions_take_what_is_not_zero(engine, file):
    masked = flags & 4
    found = rows(
        engine, file, any=masked.any(), all=masked.all(), count=masked.count(), sum=masked.sum(),
        codes=code.sum(), most=code.max(), chosen=ff.where(flags.sum(), 1, 2),
    )  # fmt: skip
    assert found["any"] == [False, False, True, False, True, False]
    assert found["all"] == [False, True, True, False, True, True]
    assert found["count"] == [0, 0, 2, 0, 1, 0]
    assert found["sum"] == [0, 0, 8, 0, 4, 0]
    assert found["codes"] == [2, 0, 0, 3, 4, 0]  # modulo 2**64
    assert found["most"][0] == float(2**64 - 1)
    assert found["chosen"] == [1, 2, 1, 1, 1, 2]


COMPARED = {
    "> 0": (u > 0, [v > 0 for v in U]),
    "== -1": (u == -1, [False] * 6),
    "< a": (u < s, [v < w for v, w in zip(U, S, strict=True)]),
    "== x": (u == x, [v == w for v, w in zip(U, X, strict=True)]),
    "s >= x": (s >= x, [v >= w for v, w in zip(S, X, strict=True)]),
    "s != x": (s != x, [v < w or v > w for v, w in zip(S, X, strict=True)]),
    "== 2**63": (u == 2.0**63, [v == 2**63 for v in U]),
    "between": (u.between(2**63, 2**64 - 1), [2**63 <= v < 2**64 - 1 for v in U]),
    "isin": (u.isin(2**63 + 1, -1, 5.0, 2.0**53), [v in (2**63 + 1, 5) for v in U]),
    "s in": (s.isin(2**64 - 1, 2.0**53, -1), [v == -1 for v in S]),
    "x in": (x.isin(2**53 + 1, 2**63), [v == 2.0**63 for v in X]),
    "% 10": (u % 10 == 8, [v % 10 == 8 for v in U]),
    "string %": (ff.parse("u % 10 == 8"), [v % 10 == 8 for v in U]),
}


def test_comparisons_are_exact(engine, file):
    assert_all(engine, file, COMPARED)


def assert_all(engine, file, cases):
    found = rows(engine, file, **{f"c{i}": cases[name][0] for i, name in enumerate(cases)})
    seen = dict(zip(cases, found.values(), strict=True))
    assert seen == {name: expected for name, (_, expected) in cases.items()}


def signed(value):
    return (value + 2**63) % 2**64 - 2**63


ARITHMETIC = {
    "u + 1": (u + 1, [(v + 1) % 2**64 for v in U]),
    "u - 6": (u - 6, [signed(v - 6) for v in U]),
    "-u": (-u, [signed(-v) for v in U]),
    "u // 3": (u // 3, [v // 3 for v in U]),
    "u // -3": (u // -3, [v // -3 for v in U]),
    "u % -7": (u % -7, [v % -7 for v in U]),
    "s % u": (s % u, [w % v for v, w in zip(U, S, strict=True)]),
    "s // u": (s // u, [w // v for v, w in zip(U, S, strict=True)]),
    "min": (ff.minimum(u, s), list(map(min, U, S))),
    "max": (ff.maximum(s, u), list(map(max, U, S))),
    "abs": (abs(u), U),
    "u & -2": (u & -2, [v & -2 for v in U]),
    "~u": (~u, [2**64 - 1 - v for v in U]),
    "u >> 62": (u >> 62, [v >> 62 for v in U]),
    "u << 1": (u << 1, [v * 2 % 2**64 for v in U]),
    "bit 63": (u.bit(63), [v >= 2**63 for v in U]),
    "s >> 64": (s >> 64, [-(w < 0) for w in S]),
    "s >> -1": (s >> -1, [-(w < 0) for w in S]),
    "s << 64": (s << 64, [0] * 6),
    "1 << u": (1 << u, [32, 0, 0, 0, 0, 0]),
    "where": (ff.where(u > 5, u, 0), [0, *U[1:]]),
    "-b": (-b, [0, -1, -127, -128, -200, -255]),
    "~b": (~b, [-1, -2, -128, -129, -201, -256]),
    "b << 3": (b << 3, [0, 8, 1016, 1024, 1600, 2040]),
}


def test_arithmetic_of_whole_numbers(engine, file):
    assert_all(engine, file, ARITHMETIC)


def test_snapshots_keep_the_type(engine, file):
    columns = {"u": u, "more": u + 1, "least": ff.minimum(u, s), "bits": b | 1, "truth": u.bit(1),
               "chosen": ff.where(u > 1, u > 2, u < 3)}  # fmt: skip
    table = run(engine, file, ff.Analysis(ff.Selection(events), rows=ff.snapshot(**columns))).rows
    assert {name: str(table[name].dtype) for name in columns} == {
        "u": "uint64", "more": "uint64", "least": "int64", "bits": "int64", "truth": "bool",
        "chosen": "bool",
    }  # fmt: skip


def test_best_and_links_by_unsigned_numbers(engine, file):
    selection = ff.Selection(part).best(highest=code)
    link = part.match(code=u)
    table = ff.snapshot(flags=flags, by_u=link.status_flags, by_s=part.match(code=s).found)
    found = run(engine, file, ff.Analysis(selection, rows=table)).rows
    assert found["flags"].tolist() == [1, 4, 2**30, 7]
    assert np.isnan(found["by_u"]).all()
    assert not found["by_s"].any()  # −1 is no 2**64 − 1, and no other is there
    cut = ff.Selection(part).cut("code", part.match(code=2**64 - 1 + 0 * u).found)
    assert run(engine, file, ff.Analysis(cut)).cutflow["code"].candidates == 3


def test_functions_get_unsigned_numbers(file):
    double = ff.function(lambda a: a // np.uint64(2))
    assert rows("columnar", file, half=double(u))["half"] == [v // 2 for v in U]


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (
            (flags & (code > 1)).any(),
            r"Cut 'c': GenPart_statusFlags & \(GenPart_code > 1\): .* whole number",
        ),
        (
            ((code > 1) | flags).any(),
            r"\(GenPart_statusFlags & 2\) != 0\) or GenPart_statusFlags.bit\(1\)",
        ),
        (x & 2, "x is a decimal number and 2 is a whole number"),
        (~x, "x is a decimal number"),
        (x << 1, "<< works on the bits of whole numbers"),
        (x.bit(3), "x is a decimal number"),
        (u.max() > 1, r"max\(u\): u has one value per event in this file: .max\(\) has nothing"),
        (u.sum() > 1, "nothing to reduce"),
        (u.first() > 1, "nothing to reduce"),
        (u.count() > 1, "nothing to reduce"),
        (ff.parse("u[0] > 1"), "nothing to reduce. Write u itself"),
        (ff.parse("Sum$(u) > 1"), "nothing to reduce"),
        (ff.parse("Length$(u) > 1"), "nothing to reduce"),
        (ff.parse("u & x"), "x is a decimal number"),
    ],
)
def test_what_is_known_with_the_file_is_told_with_the_cut(engine, file, cut, message):
    with pytest.raises((ExpressionError, BranchError), match=message):
        run(engine, file, ff.Analysis(ff.Selection(events).cut("c", cut)))


truth_of = ff.cpp("bool positive(double v) { return v > 0; }", python=lambda v: v > 0)
whole_of = ff.cpp("int whole(double v) { return int(v) % 8; }",
                  python=lambda v: (np.nan_to_num(v) % 8).astype(np.int32))  # fmt: skip


def test_what_functions_return_is_logic_or_bits(engine, file):
    found = rows(
        engine, file, both=truth_of(x) & (b > 100), neither=~truth_of(s), bits=whole_of(b) & 5,
        other=truth_of(s) ^ truth_of(x),
    )  # fmt: skip
    assert found["both"] == [False, False, True, True, False, True]
    assert found["neither"] == [True, False, False, True, False, True]
    assert found["bits"] == [0, 1, 5, 0, 0, 5]
    assert found["other"] == [True, False, False, True, True, True]


def test_functions_that_do_not_go_with_the_other_side_are_told(engine, file):
    for cut in (whole_of(b) & (b > 1), truth_of(b) | 2, ~(whole_of(b) & truth_of(b))):
        with pytest.raises(FlavorframeError, match="bits of whole numbers"):
            run(engine, file, ff.Analysis(ff.Selection(events).cut("c", cut)))
