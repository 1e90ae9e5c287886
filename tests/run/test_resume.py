"""Going on with partial results: the same bits as of a run that nothing disturbed."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe.errors import AnalysisError, FileError, RunError


@pytest.fixture
def hiding(files, tmp_path):
    """Return copies of the files, and a function that hides or shows some of them."""
    folder = tmp_path / "files"
    folder.mkdir()
    names = [Path(shutil.copy(file, folder)) for file in files]

    def hide(*numbers):
        for i, name in enumerate(names):
            hidden = name.with_suffix(".hidden")
            if i in numbers and name.exists():
                name.rename(hidden)
            elif i not in numbers and hidden.exists():
                hidden.rename(name)

    return names, hide


@pytest.mark.parametrize("hidden", [(0,), (5,), (1, 2), (0, 2, 4), (0, 1, 2, 3, 4)])
def test_files_that_come_back(hiding, analysis, same, hidden):
    names, hide = hiding
    dataset = ff.dataset(names, luminosity=6.0)
    whole = analysis.run(dataset, progress=False)
    hide(*hidden)
    partial = analysis.run(dataset, progress=False)
    assert len(partial.failures) == len(hidden)
    still = partial.resume(progress=False)
    assert len(still.failures) == len(hidden)
    hide(hidden[0]) if len(hidden) > 1 else hide()
    nearly = still.resume(progress=False)
    hide()
    same(nearly.resume(progress=False, partition_size=111), whole)
    assert whole.resume() is whole


@pytest.mark.parametrize("suffix", ["root", "parquet"])
def test_snapshots_in_files_are_completed_in_order(hiding, analysis, tmp_path, suffix):
    names, hide = hiding
    t, path = ff.events().triplet, tmp_path / f"rows.{suffix}"
    to_file = analysis.with_outputs(rows=ff.snapshot(t.mass, path=path))
    dataset = ff.dataset(names)
    expected = analysis.run(dataset, progress=False).rows["mass"]
    hide(1, 3)
    partial = to_file.run(dataset, progress=False)
    manifest = json.loads((tmp_path / f"rows.{suffix}.manifest.json").read_text())
    assert not manifest["complete"]
    missing = [i["file"] for i in manifest["inputs"] if i["missing"]]
    assert missing == [str(names[1]), str(names[3])]
    hide()
    whole = partial.resume(progress=False)
    assert len(whole.rows) == len(expected)
    np.testing.assert_array_equal(stored(path), expected)
    assert json.loads((tmp_path / f"rows.{suffix}.manifest.json").read_text())["complete"]
    path.unlink()
    with pytest.raises(RunError, match="is not there any more: run the analysis anew"):
        partial.resume(progress=False)


def stored(path):
    if path.suffix == ".parquet":
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path)["mass"].to_numpy()
    return uproot.open(path)["candidates"]["mass"].array(library="np")


def test_saved_results_can_be_resumed(hiding, analysis, same, tmp_path):
    names, hide = hiding
    dataset = ff.dataset(names, luminosity=6.0)
    whole = analysis.run(dataset, progress=False)
    hide(2)
    analysis.run(dataset, progress=False, output=tmp_path / "out")
    hide()
    saved = ff.load(tmp_path / "out")["dataset"]
    rows = tmp_path / "out" / "dataset" / "rows.root"
    completed = saved.resume(progress=False)
    assert completed.is_complete
    assert completed.mass == whole.mass
    with uproot.open(rows) as file:
        np.testing.assert_array_equal(
            file["candidates"]["mass"].array(library="np"), whole.rows["mass"]
        )
    completed.save(tmp_path / "out")
    assert not (tmp_path / "out" / "dataset" / "unfinished.pickle").exists()
    assert ff.load(tmp_path / "out")["dataset"].is_complete


def test_a_file_that_has_changed_is_said(hiding, slow_analysis, monkeypatch):
    monkeypatch.setattr("flavorframe._run.core.updates.UPDATE_SECONDS", 0.1)
    names, _ = hiding
    dataset = ff.dataset(names[2])
    partial = slow_analysis.run(
        dataset, progress=False, partition_size=300, should_stop=lambda: True
    )
    assert partial.stopped == "stopped"
    assert 0 < partial.events < 4000
    shutil.copy(names[0], names[2])
    again = partial.resume(progress=False)
    assert not again.is_complete
    assert "has changed since the run began" in again.failures[0].reason


def test_what_cannot_be_resumed(hiding, analysis, tmp_path):
    names, hide = hiding
    hide(1)
    a = analysis.run(ff.dataset(names[:2], name="a"), progress=False)
    b = analysis.run(ff.dataset(names[2:], name="b"), progress=False)
    with pytest.raises(AnalysisError, match="because it is a sum"):
        (a + b).resume()
    a.save(tmp_path)
    (tmp_path / "a" / "unfinished.pickle").write_bytes(pickle.dumps(7))
    with pytest.raises(RunError, match="does not hold an unfinished run"):
        ff.load(tmp_path)["a"].resume()


def test_on_error_raise(hiding, analysis):
    names, hide = hiding
    hide(4)
    with pytest.raises(FileError, match="4.root"):
        analysis.run(ff.dataset(names), progress=False, on_error="raise")
    with pytest.raises(AnalysisError, match="Did you mean 'raise'"):
        analysis.run(ff.dataset(names), on_error="rais")
    with pytest.raises(AnalysisError, match="Did you mean 'retries'"):
        analysis.run(ff.dataset(names), retrys=2)


def test_a_stop_is_for_all_datasets(slow_analysis, analysis, files, same, monkeypatch):
    monkeypatch.setattr("flavorframe._run.core.updates.UPDATE_SECONDS", 0.1)
    eras = {"B": ff.dataset(files[:3], name="B"), "C": ff.dataset(files[3:], name="C")}
    partial = slow_analysis.run(eras, progress=False, partition_size=500, should_stop=lambda: True)
    assert [result.stopped for result in partial.values()] == ["stopped", "stopped"]
    assert partial["B"].events > partial["C"].events == 0
    whole = analysis.run(eras, progress=False)
    for era, result in partial.resume(progress=False).items():
        same(result, whole[era])
