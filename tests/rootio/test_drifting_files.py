"""Random selections over files whose types differ and in which names repeat."""

import operator
from dataclasses import dataclass

import numpy as np
import pytest
import uproot
from hypothesis import given, settings, strategies as st

import flavorframe as ff
from support.reference import MORE

events = ff.events()
TYPES = {
    "real": ("float32", "float64"),
    "whole": ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"),
    "code": ("uint64", "int64", "uint32"),
    "x1": ("float32", "float64"),
}
"""What each branch may be in a file: whatever holds its values exactly."""
VALUES = {
    "real": st.integers(-32, 32).map(lambda i: i / 4),
    "whole": st.integers(0, 127),
    "x1": st.integers(-8, 8).map(float),
}
LARGE = (0, 5, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq)


@dataclass(frozen=True)
class File:
    """What a file holds: the type of each branch, events, and whether there are two of x1."""

    types: dict[str, str]
    rows: list[dict[str, float]]
    twins: bool


@st.composite
def contents(draw):
    types = {name: draw(st.sampled_from(kinds)) for name, kinds in TYPES.items()}
    codes = [code for code in LARGE if code <= np.iinfo(types["code"]).max]
    row = st.fixed_dictionaries({**VALUES, "code": st.sampled_from(codes)})
    return File(types, draw(st.lists(row, min_size=1, max_size=6)), draw(st.integers(0, 4)) == 0)


@st.composite
def conditions(draw, depth=2):
    """Return a condition as flavorframe has it, as Python does, and the branches that it uses."""
    kind = draw(
        st.sampled_from(["compare", "bits", "shift", "isin", *["and", "or", "not"] * depth])
    )
    if kind in ("and", "or"):
        (a, f, used), (b, g, more) = draw(conditions(0)), draw(conditions(depth - 1))
        if kind == "and":
            return a & b, lambda row: f(row) and g(row), used | more
        return a | b, lambda row: f(row) or g(row), used | more
    if kind == "not":
        a, f, used = draw(conditions(0))
        return ~a, lambda row: not f(row), used
    if kind == "compare":
        name, compare = draw(st.sampled_from(sorted(TYPES))), draw(st.sampled_from(COMPARISONS))
        limit = draw(st.sampled_from(LARGE) if name == "code" else VALUES[name])
        return compare(events[name], limit), lambda row: compare(row[name], limit), {name}
    name = draw(st.sampled_from(["whole", "code"]))
    if kind == "bits":
        mask = draw(st.integers(1, 2**31))
        return (events[name] & mask) != 0, lambda row: (row[name] & mask) != 0, {name}
    if kind == "shift":
        number = draw(st.integers(0, 63))
        return events[name].bit(number), lambda row: row[name] >> number & 1 == 1, {name}
    chosen = draw(st.lists(st.sampled_from(LARGE), min_size=1, max_size=3))
    return events[name].isin(chosen), lambda row: row[name] in chosen, {name}


def write(path, content):
    arrays = {
        name: np.array([row[name] for row in content.rows], kind)
        for name, kind in content.types.items()
    }
    with uproot.recreate(path) as file:
        file.mktree("Events", {**content.types, "x2": "float64"})
        file["Events"].extend({**arrays, "x2": np.full(len(content.rows), 99.0)})
    if content.twins:
        path.write_bytes(path.read_bytes().replace(b"\x02x2", b"\x02x1"))
    return str(path)


def expected(files, condition, shown, used):
    """Return the rows, and the numbers of the files that cannot be used: names mean two things."""
    broken = [i for i, file in enumerate(files) if file.twins and "x1" in used]
    rows = [
        tuple(row[name] for name in shown)
        for i, file in enumerate(files) if i not in broken
        for row in file.rows if condition(row)
    ]  # fmt: skip
    return rows, broken


@pytest.mark.slow
@given(st.data())
@settings(max_examples=30 * MORE)
def test_random_selections(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("drifting")
    files = data.draw(st.lists(contents(), min_size=2, max_size=3))
    cut, condition, used = data.draw(conditions())
    shown = data.draw(st.sampled_from([("real", "whole"), ("code",), ("whole", "x1")]))
    paths = [write(folder / f"{i}.root", content) for i, content in enumerate(files)]
    rows, broken = expected(files, condition, shown, used | set(shown))
    found = {}
    for where in (None, folder / "rows.root"):
        snapshot = ff.snapshot(*(events[name] for name in shown), path=where)
        analysis = ff.Analysis(ff.Selection(events).cut("drawn", cut), rows=snapshot)
        if len(broken) == len(files):
            with pytest.raises(ff.errors.BranchError, match="2 branches of the one path"):
                analysis.run(ff.dataset(paths), progress=False)
            return
        result = analysis.run(ff.dataset(paths), progress=False)
        assert [failure.file for failure in result.failures] == [paths[i] for i in broken]
        assert result.cutflow["drawn"].candidates == len(rows)
        if mixed_beyond(files, broken, shown, condition):
            return  # what no type holds exactly is not written, which has tests of its own
        columns = result.rows.to_numpy() if where is None else read(where)
        found[where] = {name: (array.dtype.name, array.tolist()) for name, array in columns.items()}
        assert list(zip(*(columns[name].tolist() for name in shown), strict=True)) == rows
    assert found[None] == found[folder / "rows.root"]


def mixed_beyond(files, broken, shown, condition):
    """Whether numbers from 2⁶³ on are shown beside a type with a sign, into which they are put."""
    used = [file for i, file in enumerate(files) if i not in broken]
    signed = any(file.types["code"] == "int64" for file in used)
    large = any(row["code"] >= 2**63 for file in used for row in file.rows if condition(row))
    return "code" in shown and signed and large


def read(path):
    with uproot.open(path) as file:
        return file["candidates"].arrays(library="np")
