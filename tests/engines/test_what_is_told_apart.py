"""What looks alike and is not: functions of one text, whole numbers that doubles merge, columns."""

import awkward as ak
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import AnalysisError, ExpressionError

events = ff.events()
x = events["x"]
ENGINES = [
    "columnar",
    pytest.param(
        "rdataframe",
        marks=pytest.mark.root,
    ),
]


@pytest.fixture
def file(tmp_path):
    with uproot.recreate(tmp_path / "x.root") as written:
        written.mktree("Events", {"x": "float64"})
        written["Events"].extend({"x": np.arange(5.0)})
    return str(tmp_path / "x.root")


def rows(file, engine="columnar", **columns):
    analysis = ff.Analysis(ff.Selection(events), rows=ff.snapshot(**columns))
    found = analysis.run(ff.dataset(file), engine=engine, progress=False).rows.to_numpy()
    return {name: values.tolist() for name, values in found.items()}


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_two_functions_of_one_text(file, engine):
    code = "double f(double x) { return x; } double g(double x) { return 2 * x; }"
    f, g = ff.cpp(code, name="f"), ff.cpp(code, name="g")
    assert f != g
    assert rows(file, engine, a=f(x), b=g(x)) == {"a": [0, 1, 2, 3, 4], "b": [0, 2, 4, 6, 8]}
    plans = [ff.Analysis(ff.Selection(events), a=ff.snapshot(a=each(x))).plan for each in (f, g)]
    assert plans[0].digest != plans[1].digest


class Scale:
    """A callable without a hash, equal to others of the same factor."""

    def __init__(self, factor):
        self.factor = factor

    def __eq__(self, other):
        return self.factor == other.factor

    __hash__ = None

    def __call__(self, values):
        return self.factor * values


def test_objects_that_are_equal_for_now(file):
    a, b = Scale(2), Scale(2)
    f, g = ff.function(a)(x), ff.function(b)(x)
    b.factor = 3
    assert rows(file, f=f, g=g) == {"f": [0, 2, 4, 6, 8], "g": [0, 3, 6, 9, 12]}
    assert ff.function(a)(x).node is f.node


@pytest.mark.parametrize("engine", ENGINES)
def test_links_by_large_numbers_in_long_lists(tmp_path, engine):
    code = np.arange(100, dtype=np.uint64)
    code[7], code[9] = 2**64 - 1, 2**53 + 1
    muon = {"code": code, "i": code.astype(np.int64)}
    triplet = {"serial": np.full(100, -1, np.int64), "d": np.full(100, 2.0**53)}
    content = {
        name: ak.zip({key: ak.unflatten(values, [100]) for key, values in columns.items()})
        for name, columns in {"Muon": muon, "triplet": triplet}.items()
    }
    with uproot.recreate(tmp_path / "long.root") as written:
        written.mktree("Events", {name: ak.type(value) for name, value in content.items()})
        written["Events"].extend(content)
    m, t = events.muon, events.triplet
    links = {"a": m.match(code=t.serial), "b": m.match(i=t.d), "c": m.match(code=t.d)}
    found = {name: link.found.count() for name, link in links.items()}
    assert rows(tmp_path / "long.root", engine, **found) == {"a": [0], "b": [0], "c": [0]}


def test_a_column_that_the_weights_have(file):
    selection = ff.Selection(events).weight("w", x + 0.5)
    with pytest.raises(AnalysisError, match="a column 'weight'"):
        ff.Analysis(selection, rows=ff.snapshot(weight=x))
    assert rows(file, weight=x) == {"weight": [0, 1, 2, 3, 4]}


@pytest.mark.parametrize(
    "compute",
    [
        lambda v: np.ma.masked_greater(v, 1),
        lambda v: v + 1j,
        lambda v: v.astype(object),
        lambda v: v.astype(str),
    ],
)
def test_what_a_function_returns_is_a_number(file, compute):
    with pytest.raises(ExpressionError, match="must return numbers or truth values"):
        rows(file, y=ff.function(compute)(x))


@pytest.mark.parametrize("engine", ENGINES)
def test_control_characters_in_strings(tmp_path, engine):
    with uproot.recreate(tmp_path / "s.root") as written:
        written.mkrntuple("Events", {"s": ["xx", "a\rb", "n\0l"], "y": np.arange(3.0)})
    for word in ("a\rb", "n\0l"):
        analysis = ff.Analysis(ff.Selection(events).cut("word", events["s"].isin("zz", word)))
        result = analysis.run(ff.dataset(tmp_path / "s.root"), engine=engine, progress=False)
        assert result.cutflow["word"].events == 1
