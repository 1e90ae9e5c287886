"""What is resumed where it was not made: folders that moved, results of runs that went on."""

import os
import shutil
import threading

import pytest

import flavorframe as ff
from flavorframe._run.core import updates
from flavorframe.errors import AnalysisError, RunError
from flavorframe.result import Results

t = ff.events().triplet
SELECTION = ff.Selection(t).cut("mass", t.mass > 1)
MASS = ff.hist(t.mass, bins=10, range=(1, 2))
lock = threading.Lock()


@pytest.fixture
def files(sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [str(tmp_path / f"{name}.root") for name in "abc"]
    for name in names:
        shutil.copy(sample("nano", events=150), name)
    return names


def partial(analysis, files, **options):
    """Return a result that lacks the second file, which is there again."""
    os.rename(files[1], "hidden")
    try:
        return analysis.run(ff.dataset(files, name="B"), progress=False, **options)
    finally:
        os.rename("hidden", files[1])


def test_what_is_told_while_a_run_goes_on_is_not_resumed(files, tmp_path, monkeypatch):
    monkeypatch.setattr(updates, "UPDATE_SECONDS", 0)
    seen = []
    rows = ff.snapshot(t.mass, path=tmp_path / "rows.root")
    whole = ff.Analysis(SELECTION, rows=rows).run(
        ff.dataset(files), on_update=seen.append, partition_size=50, threads=1, progress=False
    )
    with pytest.raises(AnalysisError, match="still going on"):
        seen[0].resume(progress=False)
    seen[0].save("checkpoint")
    with pytest.raises(AnalysisError, match="still going on"):
        ff.load("checkpoint")["dataset"].resume(progress=False)
    assert whole.is_complete
    assert whole.rows.rows == whole.cutflow[-1].candidates


def test_a_folder_that_moved_is_gone_on_with_where_it_is(files):
    analysis = ff.Analysis(SELECTION, mass=MASS, rows=ff.snapshot(t.mass))
    expected = analysis.run(ff.dataset(files, name="B"), progress=False)
    partial(analysis, files, output="out")
    os.rename("out", "old")
    other = ff.Analysis(SELECTION.cut("tight", t.mass > 1.9), mass=MASS, rows=ff.snapshot(t.mass))
    kept = other.run(ff.dataset(files, name="B"), progress=False, output="out")
    whole = ff.load("old")["B"].resume(progress=False)
    assert whole.mass == expected.mass
    assert ff.load("old")["B"].is_complete
    assert ff.load("old")["B"].rows.paths == (os.path.abspath("old/B/rows.root"),)
    assert ff.load("out")["B"].mass == kept.mass


@pytest.mark.parametrize("how", [{"output": "out"}, {"path": "rows.root"}])
def test_from_another_folder(files, tmp_path, monkeypatch, how):
    path = {"path": how["path"]} if "path" in how else {}
    analysis = ff.Analysis(SELECTION, mass=MASS, rows=ff.snapshot(t.mass, **path))
    output = {"output": how["output"]} if "output" in how else {}
    result = partial(analysis, files, **output)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert result.resume(progress=False).is_complete
    assert os.listdir() == []


def test_the_home_folder(files, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    analysis = ff.Analysis(SELECTION, mass=MASS, rows=ff.snapshot(t.mass))
    analysis.run(ff.dataset(files, name="B"), progress=False, output="~/res").save("~/saved")
    assert sorted(os.listdir(tmp_path / "home")) == ["res", "saved"]
    assert ff.load("~/res")["B"].mass == ff.load("~/saved")["B"].mass


def test_a_function_that_cannot_be_saved_costs_the_resuming_alone(files):
    @ff.function
    def guarded(mass):
        with lock:
            return mass

    analysis = ff.Analysis(ff.Selection(t).cut("mass", guarded(t.mass) > 1), mass=MASS)
    result = partial(analysis, files, output="out")
    loaded = ff.load("out")["B"]
    assert loaded.mass == result.mass
    assert not loaded.is_complete
    with pytest.raises(RunError, match="guarded .* it uses lock, a lock"):
        loaded.resume(progress=False)


def test_saving_again_vouches_for_nothing_that_is_of_another_result(files):
    for folder, analysis in {
        "a": ff.Analysis(SELECTION, mass=MASS),
        "b": ff.Analysis(SELECTION.cut("tight", t.mass > 1.9), mass=MASS),
    }.items():
        partial(analysis, files, output=folder)
    shutil.copy("b/B/unfinished.pickle", "a/B/unfinished.pickle")
    with pytest.raises(RunError, match="is of another run"):
        ff.load("a")["B"].save("c")


def test_where_one_is_stopped_those_after_it_stay_as_they_are(files):
    analysis = ff.Analysis(SELECTION, mass=MASS)
    results = Results({era: partial(analysis, files) for era in "AC"})
    more = results.resume(progress=False, should_stop=lambda: True, partition_size=10)
    if more["A"].stopped:  # else it was done before it was asked
        assert more["C"] is results["C"]
