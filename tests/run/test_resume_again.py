"""Resuming more than once, and where something else lies in the place of the rows."""

import json
import os
import shutil

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import AnalysisError, RunError

t = ff.events().triplet
COLUMNS = ("mass", "event")


def analysis(cut=1.0, **where):
    rows = ff.snapshot(t.mass, ff.events().event, **where)
    selection = ff.Selection(t).cut("m", t.mass > cut)
    return ff.Analysis(selection, mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)), rows=rows)


@pytest.fixture
def names(files, tmp_path):
    """Return four files of their own, of which some can be hidden."""
    folder = tmp_path / "files"
    folder.mkdir()
    return [shutil.copy(file, folder) for file in files[:4]]


def without(names, hidden, work):
    for number in hidden:
        os.rename(names[number], f"{names[number]}.away")
    try:
        return work()
    finally:
        for number in hidden:
            os.rename(f"{names[number]}.away", names[number])


def partial(names, analysis, hidden=(1, 3), **options):
    dataset = ff.dataset(names, name="X")
    return without(names, hidden, lambda: analysis.run(dataset, progress=False, **options))


def read(rows):
    if not hasattr(rows, "paths"):
        return {name: rows[name] for name in COLUMNS}
    parts = []
    for path in rows.paths:
        if path.endswith(".parquet"):
            import pyarrow.parquet

            table = pyarrow.parquet.read_table(path)
            parts.append({name: table[name].to_numpy() for name in COLUMNS})
        else:
            parts.append(uproot.open(path)["candidates"].arrays(COLUMNS, library="np"))
    return {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}


def assert_same(result, whole):
    assert result.is_complete
    assert result.mass == whole.mass
    assert len(result.rows) == len(whole.rows) == result.cutflow[-1].candidates
    for name, column in read(result.rows).items():
        np.testing.assert_array_equal(column, whole.rows[name])


@pytest.fixture
def whole(names):
    return analysis().run(ff.dataset(names, name="X"), progress=False)


@pytest.mark.parametrize(
    "where",
    [{}, {"path": "rows.root"}, {"path": "rows.parquet"}, {"path": "rows.root", "files": 3}],
)
def test_the_same_result_again_and_again(names, whole, tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    first = partial(names, analysis(**where))
    second = without(names, [3], lambda: first.resume(progress=False))
    assert len(second.failures) == 1
    for result in (second, second, first, first):
        assert_same(result.resume(progress=False), whole)
    if where:  # the file is no more made of that one's rows
        with pytest.raises(RunError, match="is not what the run wrote that is to be resumed"):
            second.resume(progress=False)


def test_in_a_results_folder(names, whole, tmp_path):
    out = tmp_path / "out"
    in_memory = partial(names, analysis(), output=out)
    loaded = ff.load(out)["X"]
    assert_same(loaded.resume(progress=False), whole)
    assert_same(ff.load(out)["X"], whole)
    assert ff.load(out)["X"].unfinished is None
    for result in (loaded, in_memory, ff.load(out)["X"]):
        assert_same(result.resume(progress=False), whole)
        assert_same(ff.load(out)["X"], whole)
    assert sorted(os.listdir(out / "X")) == [
        "histograms.root", "result.json", "rows.root", "rows.root.manifest.json",
    ]  # fmt: skip


def test_saved_elsewhere(names, whole, tmp_path):
    partial(names, analysis()).save(tmp_path / "saved")
    for _ in range(2):
        assert_same(ff.load(tmp_path / "saved")["X"].resume(progress=False), whole)
    completed = ff.load(tmp_path / "saved")["X"].resume(progress=False)
    completed.save(tmp_path / "saved")
    assert_same(ff.load(tmp_path / "saved")["X"], whole)


def replaced(path, names, how):
    if how == "removed rows":
        with uproot.open(path) as file:
            rows = file["candidates"].arrays(library="np")
        with uproot.recreate(path) as file:
            file["candidates"] = {name: column[::2] for name, column in rows.items()}
    elif how == "another cut":
        analysis(1.9, path=path).run(ff.dataset(names), progress=False)
    elif how == "other data":
        analysis(path=path).run(ff.dataset(names[1:3]), progress=False)
    else:
        with path.open("r+b") as file:
            file.seek(-1000, os.SEEK_END)
            file.write(b"damage")


@pytest.mark.parametrize("how", ["removed rows", "another cut", "other data", "damaged"])
def test_other_rows_are_not_taken(names, tmp_path, how):
    path = tmp_path / "rows.root"
    result = partial(names, analysis(path=path))
    replaced(path, names, how)
    before = path.read_bytes()
    with pytest.raises(RunError, match="rows.root is not what the run wrote that is to be resumed"):
        result.resume(progress=False)
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["files", "rows.root", "rows.root.manifest.json"]


def test_a_manifest_of_another_file_does_not_count(names, tmp_path):
    path = tmp_path / "rows.root"
    result = partial(names, analysis(path=path))
    result.resume(progress=False)
    manifest = tmp_path / "rows.root.manifest.json"
    kept = manifest.read_text()
    assert json.loads(kept)["earlier"]
    analysis(1.9, path=path).run(ff.dataset(names), progress=False)
    manifest.write_text(kept)
    with pytest.raises(RunError, match="is not what the run wrote"):
        result.resume(progress=False)


def test_the_unfinished_run_of_another(names, tmp_path):
    for cut in (1.0, 1.9):
        partial(names, analysis(cut)).save(tmp_path / str(cut))
    name = "unfinished.pickle"
    shutil.copy(tmp_path / "1.9" / "X" / name, tmp_path / "1.0" / "X" / name)
    with pytest.raises(RunError, match="does not hold an unfinished run of this result"):
        ff.load(tmp_path / "1.0")["X"].resume(progress=False)


def test_a_path_that_is_being_written(names, tmp_path, monkeypatch):
    monkeypatch.setattr("flavorframe._run.core.updates.UPDATE_SECONDS", 0.0)
    path, told = tmp_path / "rows.root", []

    def update(result):
        for again in (analysis(path=path), analysis()):
            with pytest.raises(RunError, match="is writing it. Wait for its end") as error:
                again.run(ff.dataset(names[0], name="X"), progress=False, output=tmp_path / "out")
            told.append(str(error.value))

    analysis(path=path).run(
        ff.dataset(names, name="X"), progress=False, on_update=update, output=tmp_path / "out"
    )
    assert any("cannot write X in folder" in text for text in told)
    other = ff.dataset(names[0], name="Y")
    told.clear()

    def update(result):
        with pytest.raises(RunError, match=r"cannot write rows\.root") as error:
            analysis(path=path).run(other, progress=False)
        told.append(str(error.value))

    analysis(path=path).run(other, progress=False, on_update=update)
    assert told


def test_a_sum_is_still_none(names, tmp_path):
    a = partial(names[:2], analysis(), hidden=[1])
    b = partial(names[2:], analysis(), hidden=[1])
    with pytest.raises(AnalysisError, match="because it is a sum"):
        (a + b).resume()
