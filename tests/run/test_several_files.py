"""Snapshots that go to a given number of files: in order, evenly, all or none."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import AnalysisError, ExpressionError, RunError

t = ff.events().triplet


def divided(path, files=4, through=t.mass, **options):
    selection = ff.Selection(t).cut("mass", through > 1.7)
    good = t.vertex_chi2 < 5
    rows = ff.snapshot(t.mass, ff.events().event, good=good, path=path, files=files, **options)
    return ff.Analysis(selection, rows=rows)


def names(path, files):
    return [path.with_name(f"{path.stem}_{i + 1}of{files}{path.suffix}") for i in range(files)]


def read(path):
    if path.suffix == ".parquet":
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(path)
        return {name: table[name].to_numpy() for name in table.column_names}
    with uproot.open(path) as file:
        return file["candidates"].arrays(library="np")


def assert_divided(paths, expected):
    """Assert that the files have the rows in order, as many each as can be, and the types."""
    found = [read(path) for path in paths]
    for name in expected.columns:
        column = np.concatenate([columns[name] for columns in found])
        np.testing.assert_array_equal(column, expected[name])
        assert {columns[name].dtype for columns in found} == {expected[name].dtype}
    lengths = [len(columns["mass"]) for columns in found]
    assert max(lengths) - min(lengths) <= 1


@pytest.fixture(scope="module")
def expected(files):
    return divided(None, 1).run(ff.dataset(files), progress=False).rows


@pytest.mark.parametrize(
    ("name", "format", "size"),
    [("a.root", "ttree", 700), ("b.root", "rntuple", 999), ("c.parquet", "parquet", None)],
)
def test_here_in_every_format(files, expected, tmp_path, name, format, size):
    path = tmp_path / name
    result = divided(path, format=format).run(
        ff.dataset(files), partition_size=size, progress=False
    )
    assert result.rows.paths == tuple(map(str, names(path, 4)))
    assert len(result.rows) == len(expected) > 1000
    assert_divided(names(path, 4), expected)
    manifest = json.loads((tmp_path / f"{name}.manifest.json").read_text())
    assert manifest["rows"] == len(expected)
    assert manifest["files"] == [
        {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for file in names(path, 4)
    ]
    assert len(list(tmp_path.iterdir())) == 5  # no hidden file is left


def test_blocks_are_put_together(files, expected, tmp_path, monkeypatch):
    monkeypatch.setattr("flavorframe._snapshots.reading.BLOCK", 37)
    divided(tmp_path / "rows.root", 3).run(ff.dataset(files), progress=False)
    assert_divided(names(tmp_path / "rows.root", 3), expected)


def test_on_dask_the_same_files(client, files, expected, tmp_path):
    divided(tmp_path / "rows.root", 3).run(ff.dataset(files), on=client, partition_size=500)
    assert_divided(names(tmp_path / "rows.root", 3), expected)


@pytest.mark.root
def test_by_rdataframe(files, expected, tmp_path):
    divided(tmp_path / "rows.root", 3).run(ff.dataset(files), engine="rdataframe", progress=False)
    assert_divided(names(tmp_path / "rows.root", 3), expected)


def test_more_files_than_rows(small_nano, tmp_path):
    path = tmp_path / "rows.root"
    selection = ff.Selection(t).cut("few", ff.events().event < 2)
    rows = ff.snapshot(t.mass, path=path, files=40)
    result = ff.Analysis(selection, rows=rows).run(ff.dataset(small_nano), progress=False)
    found = [uproot.open(file)["candidates"].num_entries for file in result.rows.paths]
    assert result.rows.paths[0].endswith("rows_01of40.root")
    assert (len(found), sum(found), max(found)) == (40, len(result.rows), 1)


def test_nothing_is_left_of_a_run_that_fails(files, tmp_path):
    @ff.function
    def broken(mass):
        raise ZeroDivisionError

    with pytest.raises(ExpressionError):
        divided(tmp_path / "rows.root", through=broken(t.mass)).run(ff.dataset(files))
    assert list(tmp_path.iterdir()) == []


def test_completed_by_resume(files, expected, tmp_path):
    path, away = tmp_path / "rows.root", Path(files[2]).with_suffix(".away")
    Path(files[2]).rename(away)
    try:
        partial = divided(path).run(ff.dataset(files), progress=False)
    finally:
        away.rename(files[2])
    assert 0 < len(partial.rows) < len(expected)
    assert len(partial.resume(progress=False).rows) == len(expected)
    assert_divided(names(path, 4), expected)
    for file in names(path, 4):
        file.unlink()
    with pytest.raises(RunError, match=r"rows_1of4.root is not there any more"):
        partial.resume(progress=False)


def test_where_the_runs_output_goes(files, expected, tmp_path):
    result = divided(None).run(ff.dataset(files), output=tmp_path, progress=False)
    assert_divided(names(tmp_path / "dataset" / "rows.root", 4), expected)
    assert ff.load(tmp_path)["dataset"].rows.paths == result.rows.paths


def test_files_need_a_place_and_a_number(small_nano):
    with pytest.raises(AnalysisError, match=r"'rows' is to go to 4 files, and has no place"):
        divided(None).run(ff.dataset(small_nano))
    with pytest.raises(AnalysisError, match="files=0: a snapshot goes to one file or more"):
        divided("rows.root", 0)
