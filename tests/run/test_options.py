"""Options are heeded, or refused by their names before anything is read: on every way to run."""

import dataclasses

import pytest

import flavorframe as ff
from flavorframe._run.detached.folder_store import FolderStore
from flavorframe.errors import AnalysisError, CredentialError

MASS = ff.events().triplet.mass
HISTOGRAM = ff.Analysis(ff.Selection(ff.events().triplet), m=ff.hist(MASS, bins=3, range=(1, 2)))
NOWHERE = "tcp://127.0.0.1:1"


@pytest.fixture(params=["columnar", "rdataframe"])
def engine(request):
    return request.param


@pytest.fixture(params=["run", "submit"])
def act(request, tmp_path, monkeypatch):
    """Return what starts a run, of which nothing may come."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    yield getattr(HISTOGRAM, request.param)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("on", [None, ff.Slurm()])
def test_a_report_of_dask_is_not_had_without_dask(act, engine, on):
    with pytest.raises(AnalysisError, match="performance_report= is a report of Dask's"):
        act(ff.dataset("none.root"), engine=engine, on=on, performance_report="report.html")


@pytest.mark.parametrize("on", [NOWHERE, "gateway"])
def test_workers_of_others_have_their_own_threads(act, engine, on):
    with pytest.raises(AnalysisError, match="threads=4: the workers of a Dask cluster have"):
        act(ff.dataset("none.root"), engine=engine, on=on, threads=4)


@pytest.mark.root
def test_only_the_columnar_engine_keeps_anything(act, tmp_path):
    for cache in (True, tmp_path / "cache"):
        with pytest.raises(AnalysisError, match="cache=.*engine 'rdataframe' keeps nothing"):
            act(ff.dataset("none.root"), engine="rdataframe", cache=cache)


def test_batch_jobs_keep_nothing(act):
    with pytest.raises(AnalysisError, match="cache=True: batch jobs keep nothing"):
        act(ff.dataset("none.root"), on=ff.Slurm(), cache=True)


def test_a_detached_run_shows_no_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for progress in (True, "live"):
        with pytest.raises(AnalysisError, match="progress= has nowhere to be shown"):
            HISTOGRAM.submit(ff.dataset("none.root"), progress=progress)
    assert list(tmp_path.iterdir()) == []


def test_resuming_heeds_what_running_does(files, tmp_path):
    data = ff.dataset([files[0], str(tmp_path / "none.root")])
    for part in (HISTOGRAM.run(data, progress=False), HISTOGRAM.run({"A": data}, progress=False)):
        for options, message in (
            ({"performance_report": "r.html"}, "performance_report="),
            ({"on": NOWHERE, "threads": 4}, "threads=4"),
            ({"on": ff.Slurm(), "cache": True}, "cache=True"),
            ({"output": "out"}, "no option 'output'"),
        ):
            with pytest.raises(AnalysisError, match=message):
                part.resume(**options)


def test_files_and_credentials_are_looked_at_by_either_engine(files, engine, tmp_path, monkeypatch):
    with pytest.raises(AnalysisError, match=r"files=: there is no file .*none\.txt"):
        HISTOGRAM.run(ff.dataset(files), engine=engine, files="none.txt", progress=False)
    monkeypatch.setenv("X509_USER_PROXY", str(tmp_path / "none"))
    with pytest.raises(CredentialError, match="none"):
        HISTOGRAM.run(ff.dataset("root://127.0.0.1:1//a.root"), engine=engine, progress=False)


@pytest.mark.xdist_group("dask")
@pytest.mark.root
def test_dask_reports_on_rdataframe_too(client, files, tmp_path):
    pytest.importorskip("bokeh", reason="bokeh is not installed")
    report = tmp_path / "report.html"
    options = {"engine": "rdataframe", "on": client, "performance_report": report}
    assert HISTOGRAM.run(ff.dataset(files[:1]), progress=False, **options).is_complete
    assert "bokeh" in report.read_text()


def test_a_detached_run_finds_files_from_wherever_it_is_conducted(tmp_path, monkeypatch, files):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scale.txt").write_text("2")
    kept = []
    monkeypatch.setattr(
        "flavorframe._run.detached.submit._submit_process", lambda job, _: kept.append(job)
    )
    analysis = HISTOGRAM.with_outputs(rows=ff.snapshot(MASS, path="~/rows.root"))
    analysis.submit(ff.dataset(files), files="scale.txt", output="out")
    options = kept[0].options
    assert options.files == (str(tmp_path / "scale.txt"),)
    assert options.output == str(tmp_path / "out")
    assert dict(kept[0].plan.outputs)["rows"].path == str(tmp_path / "rows.root")


def test_a_run_of_any_dataset_can_be_submitted_and_found(tmp_path, monkeypatch, files):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    data = dataclasses.replace(ff.dataset(files[0]), name="2017/B\n../..")
    run = HISTOGRAM.submit(data)
    assert run.result(timeout=100).is_complete
    assert FolderStore(run.name).folder.parent == tmp_path / "flavorframe" / "runs"
    with pytest.raises(AnalysisError, match="There are 2017/B"):
        ff.attach("none")
    ff.attach(run.name).forget()
    with pytest.raises(AnalysisError, match="there is no run"):
        ff.attach(run.name)
