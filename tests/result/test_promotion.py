"""Columns whose type is not the same in all files: one type for all, in any order."""

import itertools
import os

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._snapshots.promotion import common_type
from flavorframe._snapshots.reading import reader_of
from flavorframe.errors import OutputError
from flavorframe.result import SnapshotWriter, Table

WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
TYPES = ["bool", *WHOLE, "float32", "float64"]
FORMATS = [("rows.root", "ttree"), ("rows.root", "rntuple"), ("rows.parquet", "parquet")]


def joined(kinds):
    first, *others = map(np.dtype, kinds)
    for kind in others:
        first = common_type(first, kind)
    return first


@pytest.mark.parametrize("kinds", list(itertools.combinations(TYPES, 3)))
def test_the_type_does_not_depend_on_the_order(kinds):
    assert len({joined(order) for order in itertools.permutations(kinds)}) == 1


@pytest.mark.parametrize(("a", "b"), list(itertools.product(TYPES, TYPES)))
def test_whole_numbers_stay_whole_and_all_others_fit(a, b):
    kind = common_type(np.dtype(a), np.dtype(b))
    if {a, b} <= set(WHOLE):
        assert kind.kind in "iu"
    for each in (a, b):
        exact = np.can_cast(np.dtype(each), kind)
        assert exact or (each, kind.name) == ("uint64", "int64")  # whose values are looked at


@pytest.mark.parametrize(("name", "format"), FORMATS)
@pytest.mark.parametrize(
    "kinds", [("float32", "float64"), ("int32", "float32"), ("uint8", "int64")]
)
def test_files_and_memory_have_the_same(tmp_path, monkeypatch, name, format, kinds):
    monkeypatch.setattr("flavorframe._snapshots.writing.BLOCK", 40)
    for order in (kinds, kinds[::-1], (*kinds, *kinds)):
        chunks = [{"x": np.arange(97).astype(kind), "n": np.arange(97)} for kind in order]
        with SnapshotWriter(tmp_path / name, format=format) as writer:
            for chunk in chunks:
                writer.write(chunk)
        memory = sum(map(Table, chunks[1:]), Table(chunks[0]))
        found = reader_of(format)(tmp_path / name, "candidates", 0, 97 * len(order))
        for column in ("x", "n"):
            assert found[column].dtype == memory[column].dtype == joined_type(chunks, column)
            np.testing.assert_array_equal(found[column], memory[column])
        assert os.listdir(tmp_path) == [name]


def joined_type(chunks, column):
    return joined([chunk[column].dtype for chunk in chunks])


@pytest.mark.parametrize(
    ("kinds", "value"),
    [
        (("int64", "float64"), 2**53 + 1),
        (("uint64", "float32"), 2**60),
        (("uint64", "int8"), 2**63),
    ],
)
def test_numbers_that_do_not_fit_are_told(tmp_path, kinds, value):
    big, other = {"id": np.array([1, value], kinds[0])}, {"id": np.array([1], kinds[1])}
    for chunks in ((big, other), (other, big)):
        with pytest.raises(OutputError, match=f"column 'id' is {kinds[0]} .* the number {value} "):
            _ = Table(chunks[0]) + Table(chunks[1])
        with pytest.raises(OutputError, match=f"the number {value} does not fit"):
            write(tmp_path / "rows.root", chunks)
        assert os.listdir(tmp_path) == []


def write(path, chunks):
    with SnapshotWriter(path) as writer:
        for chunk in chunks:
            writer.write(chunk)


def drifting(folder, kinds):
    for number, kind in enumerate(kinds):
        with uproot.recreate(folder / f"{number}.root") as file:
            file.mktree("Events", {"x": kind})
            file["Events"].extend({"x": np.arange(3 * number, 3 * number + 3).astype(kind)})
        yield str(folder / f"{number}.root")


@pytest.mark.parametrize("engine", ["columnar", "rdataframe"])
@pytest.mark.parametrize(("name", "format"), [("none", None), *FORMATS])
def test_a_run_over_files_that_differ(tmp_path, name, format, engine):
    x, out = ff.events()["x"], tmp_path / name
    for kinds in itertools.permutations([np.float32, np.float64, np.int32]):
        files = list(drifting(tmp_path, kinds))
        rows = ff.snapshot(x, **({"path": out, "format": format} if format else {}))
        result = ff.Analysis(ff.Selection(ff.events()), rows=rows).run(
            ff.dataset(files), engine=engine, progress=False
        )
        found = result.rows["x"] if format is None else read(out, format)
        assert result.is_complete
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, np.arange(9.0))


def read(path, format):
    return reader_of(format)(path, "candidates", 0, 9)["x"]


def test_without_rows_the_type_counts_as_well(tmp_path):
    """A file of which no candidate is left is one of the files that say what type a column has."""
    files = list(drifting(tmp_path, [np.float64, np.float32]))
    x, hidden = ff.events()["x"], tmp_path / "away"
    analysis = ff.Analysis(ff.Selection(ff.events()).cut("late", x > 2), rows=ff.snapshot(x))
    whole = analysis.run(ff.dataset(files), progress=False)
    os.rename(files[1], hidden)
    partial = analysis.run(ff.dataset(files), progress=False)
    os.rename(hidden, files[1])
    assert len(partial.rows) == 0
    assert partial.resume(progress=False).rows["x"].dtype == whole.rows["x"].dtype == np.float64
