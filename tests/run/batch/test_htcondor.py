"""HTCondor: descriptions under its own parsers, its event log, and runs with a stand-in queue."""

import shutil
from pathlib import Path

import pytest

import flavorframe as ff
from flavorframe._run.batch.event_log import read_states
from flavorframe._run.batch.folder import RunFolder, Sent, Work
from flavorframe._run.batch.shares import divide
from flavorframe._run.core.options import RunOptions
from flavorframe._run.core.partitions import file_ranges
from flavorframe.datasets import dataset
from flavorframe.errors import AnalysisError, RunError
from support.analyses import assert_same_bits, t, weighted

htcondor2 = pytest.importorskip("htcondor2", reason="HTCondor's bindings are not installed")
classad2 = pytest.importorskip("classad2")


def made(site):
    """Return the folder of a run of five files."""
    data = dataset([f"/data/{name}.root" for name in "abcde"], name='it\'s $2017 of "B"')
    jobs = tuple(divide(file_ranges(data, None), 3))
    work = Work(weighted().plan, None, "columnar", 50_000, 1, 2, {}, jobs)
    return RunFolder.make(Sent(work, data, site, RunOptions(), None))


def parsed(site, numbers=(0, 2, 17)):
    folder = made(site)
    return folder, htcondor2.Submit(site.description(folder, numbers))


@pytest.mark.parametrize("shared", [False, True])
def test_the_description_says_what_was_asked(tmp_path, shared):
    site = ff.HTCondor(
        cores=4, memory="3GiB", disk="5GiB", time="01:30:00", flavour="longlunch",
        folder=tmp_path / "runs of me", shared_filesystem=shared,
        options={"+AccountingGroup": '"group_u_CMS"', "requirements": "(OpSysMajorVer =?= 9)"},
    )  # fmt: skip
    folder, submit = parsed(site)
    assert submit["request_cpus"] == "4"
    assert submit["request_memory"] == "3072MB"
    assert submit["request_disk"] == "5120MB"
    assert submit["MY.MaxRuntime"] == "5400"
    assert submit["MY.JobFlavour"] == '"longlunch"'
    assert submit["initialdir"].replace("$(DOLLAR)", "$") == str(folder.path)
    assert [row["number"] for row in submit.itemdata()] == ["00000", "00002", "00017"]
    for name, text in submit.items():
        if name.startswith("MY.") or name == "requirements":
            classad2.ExprTree(text)
    assert ("transfer_input_files" in submit) is not shared


def test_expressions_are_checked_before_anything_is_submitted(tmp_path):
    with pytest.raises(AnalysisError, match=r"options\['requirements'\]: \(A == .* is not an expr"):
        parsed(ff.HTCondor(folder=tmp_path, options={"requirements": '(A == "b"'}))
    with pytest.raises(AnalysisError, match="Did you mean 'longlunch'"):
        ff.HTCondor(flavour="long_lunch")
    with pytest.raises(AnalysisError, match="must be one line"):
        ff.HTCondor(options={"requirements": "true\nqueue 1000"})


LOG = """\
000 (012.000.000) 2026-03-01 12:00:00 Job submitted from host: <10.0.0.1:9618?addrs=10.0.0.1-9618>
...
000 (012.001.000) 2026-03-01 12:00:00 Job submitted from host: <10.0.0.1:9618?addrs=10.0.0.1-9618>
...
000 (012.002.000) 2026-03-01 12:00:00 Job submitted from host: <10.0.0.1:9618?addrs=10.0.0.1-9618>
...
000 (012.003.000) 2026-03-01 12:00:00 Job submitted from host: <10.0.0.1:9618?addrs=10.0.0.1-9618>
...
001 (012.000.000) 2026-03-01 12:00:10 Job executing on host: <10.0.0.2:9618?addrs=10.0.0.2-9618>
\tSlotName: slot1_1@node.cern.ch
...
006 (012.000.000) 2026-03-01 12:00:20 Image size of job updated: 1024
\t3  -  MemoryUsage of job (MB)
\t2048  -  ResidentSetSize of job (KB)
...
004 (012.000.000) 2026-03-01 12:01:00 Job was evicted.
\t(0) CPU times
\t\tUsr 0 00:00:10, Sys 0 00:00:01  -  Run Remote Usage
\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Run Local Usage
\t0  -  Run Bytes Sent By Job
\t0  -  Run Bytes Received By Job
...
001 (012.000.000) 2026-03-01 12:02:10 Job executing on host: <10.0.0.3:9618?addrs=10.0.0.3-9618>
\tSlotName: slot1_1@node.cern.ch
...
001 (012.001.000) 2026-03-01 12:02:10 Job executing on host: <10.0.0.3:9618?addrs=10.0.0.3-9618>
\tSlotName: slot1_2@node.cern.ch
...
005 (012.000.000) 2026-03-01 12:03:00 Job terminated.
\t(0) Abnormal termination (signal 9)
\t(0) No core file
\t\tUsr 0 00:00:10, Sys 0 00:00:01  -  Run Remote Usage
\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Run Local Usage
\t\tUsr 0 00:00:10, Sys 0 00:00:01  -  Total Remote Usage
\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Total Local Usage
\t0  -  Run Bytes Sent By Job
\t0  -  Run Bytes Received By Job
\t0  -  Total Bytes Sent By Job
\t0  -  Total Bytes Received By Job
...
012 (012.001.000) 2026-03-01 12:04:00 Job was held.
\tError from slot1_2@node.cern.ch: memory usage exceeded request_memory
\tCode 34 Subcode 0
...
009 (012.001.000) 2026-03-01 12:05:00 Job was aborted.
\tvia condor_rm (by user me)
...
009 (012.003.000) 2026-03-01 12:05:00 Job was aborted.
\tvia condor_rm (by user me)
...
001 (012.002.000) 2026-03-01 12:0"""


def test_the_event_log_tells_how_jobs_stand(tmp_path):
    log = tmp_path / "events.log"
    assert read_states(log) == {}
    log.write_text(LOG)
    states = read_states(log)
    assert {name: (s.stage, s.starts) for name, s in states.items()} == {
        "12.0": ("failed", 1), "12.1": ("failed", 1), "12.2": ("waiting", 0), "12.3": ("failed", 0),
    }  # fmt: skip
    assert states["12.0"].reason == "it was ended by signal 9"
    assert "memory usage exceeded" in states["12.1"].reason
    assert "removed: via condor_rm (by user me)" in states["12.3"].reason


def test_without_htcondor_it_is_said(tmp_path, data):
    with pytest.raises(RunError, match="no condor_submit on the PATH.*Submit from a login node"):
        weighted().run(data, on=ff.HTCondor(folder=tmp_path / "runs"), progress=False)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("shared", [False, True])
def test_the_same_bits_as_here(pool, tmp_path, data, shared):
    site = ff.HTCondor(jobs=2, folder=tmp_path / "it's $HOME", shared_filesystem=shared)
    result = weighted().run(data, on=site, progress=False)
    assert_same_bits(result, weighted().run(data, progress=False))


def test_files_come_along(pool, tmp_path, data):
    (tmp_path / "scale.txt").write_text("0.5")

    @ff.function
    def scaled(x):
        return x * float(Path(ff.delivered("scale.txt")).read_text())

    analysis = weighted(scaled(t.mass) < 1)
    files = [tmp_path / "scale.txt"]
    result = analysis.run(data, on=ff.HTCondor(folder=tmp_path / "runs"), files=files)
    assert_same_bits(result, analysis.run(data, files=files))
    (folder,) = (tmp_path / "runs").iterdir()
    assert not (folder / "files").exists()


def test_htcondor_carries_the_proxy(tmp_path):
    site = ff.HTCondor(folder=tmp_path)
    folder = made(site)
    assert "x509userproxy" not in htcondor2.Submit(site.description(folder, [0]))
    for name in ("x509up", "bearer_token"):
        (folder.path / name).write_text("secret")
    submit = htcondor2.Submit(site.description(folder, [0]))
    assert submit["use_x509userproxy"] == "True"
    assert submit["x509userproxy"].replace("$(DOLLAR)", "$") == str(folder.path / "x509up")
    assert submit["transfer_input_files"] == "run.json, work.pickle, bearer_token"
    assert "secret" not in site.description(folder, [0])


def test_a_held_job_is_removed_and_submitted_again(pool, tmp_path, data, monkeypatch):
    monkeypatch.setenv("CONDOR_HOLD", "1")
    site = ff.HTCondor(jobs=2, folder=tmp_path / "runs")
    assert weighted().run(data, on=site, progress=False).is_complete
    assert (pool / "removed").read_text() == "1.1\n"
    shutil.rmtree(site.folder)
    for cluster in pool.glob("cluster*"):
        cluster.unlink()
    result = weighted().run(data, on=site, retries=0, progress=False)
    assert {f.worker for f in result.failures} == {"1.1"}
    assert "needed more than the memory='2GB'" in result.failures[0].reason
    assert result.events == 50
