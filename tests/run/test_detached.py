"""Detached runs, looked after from other processes."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

import flavorframe as ff
import servers
from flavorframe.errors import AnalysisError, ExpressionError, RunError
from flavorframe.run.board import DaskBoard, FolderBoard

pytestmark = pytest.mark.xdist_group("dask")

LOOK = """
import sys, time
import flavorframe as ff
run = ff.attach("mine", on=sys.argv[1] or None)
while run.so_far() is None:
    time.sleep(0.1)
assert run.status in ("running", "finished"), run.status
assert 0 < run.so_far().fraction <= 1
if sys.argv[2] == "stop":
    run.stop()
print(run.result(timeout=60).events)
"""


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """Keep the runs of a test in a folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def look(on="", what=""):
    """Look after the run from another process, and return the events that its result has."""
    command = [sys.executable, "-c", LOOK, on, what]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_a_run_of_this_machine(slow_analysis, analysis, dataset, same):
    slow_analysis.submit(dataset, name="mine", partition_size=200, threads=2)
    with pytest.raises(AnalysisError, match="there is a run 'mine' already"):
        slow_analysis.submit(dataset, name="mine")
    with pytest.raises(AnalysisError, match=r"no run 'mien' on this machine. Did you mean 'mine'"):
        ff.attach("mien")
    assert look() == 14_000
    run = ff.attach("mine")
    assert (run.status, run.fraction, run.events) == ("finished", 1.0, 14_000)
    assert repr(run) == "Run 'mine': finished, 14,000 events, 100 %"
    same(run.result(), analysis.run(dataset, progress=False))
    run.forget()
    with pytest.raises(AnalysisError, match="no run 'mine'"):
        ff.attach("mine")


def test_a_run_that_lives_on_a_cluster(cluster, slow_analysis, analysis, dataset, same):
    address = cluster.scheduler_address
    run = slow_analysis.submit(dataset, name="mine", on=address, partition_size=20)
    assert 0 < look(address, "stop") < 14_000
    assert run.status == "stopped"
    result = run.result()
    assert not result.is_complete
    same(result.resume(on=cluster, progress=False), analysis.run(dataset, progress=False))
    run.forget()
    with pytest.raises(AnalysisError, match="there is no run 'mine' on tcp"):
        ff.attach("mine", on=address)


def test_errors_come_back(cluster, dataset):
    @ff.function
    def wrong(x):
        return x[:0]

    t = ff.events().triplet
    bad = ff.Analysis(ff.Selection(t).cut("wrong", wrong(t.mass) > 1))
    for on in (None, cluster):
        run = bad.submit(dataset, name="bad", on=on)
        with pytest.raises(ExpressionError, match="The function wrong"):
            run.result(timeout=60)
        assert run.status == "failed"
        run.forget()


def test_a_killed_run_is_lost(slow_analysis, dataset):
    run = slow_analysis.submit(dataset, name="mine", partition_size=50, threads=1)
    with pytest.raises(TimeoutError, match="still (starting|running)"):
        run.result(timeout=0.5)
    pid = int((FolderBoard("mine").get("process") or b"").split()[0])
    psutil.Process(pid).kill()
    deadline = time.monotonic() + 10
    while run.status != "lost" and time.monotonic() < deadline:
        time.sleep(0.1)
    with pytest.raises(RunError, match="what conducted it was killed"):
        run.result()
    run.forget()


def test_another_worker_begins_anew_and_says_so(cluster, client, slow_analysis, dataset, same):
    run = slow_analysis.submit(dataset, name="again", on=cluster, partition_size=300)
    servers.wait_for(lambda: run.events > 0)
    assert run.starts == 1
    os.kill(int(DaskBoard("again", client).get("process")), signal.SIGKILL)
    result = run.result(timeout=120)
    assert "finished" in repr(run)
    assert "start 2 after its worker died" in repr(run)
    same(result, slow_analysis.run(dataset, progress=False))
    run.forget()


def test_what_cannot_be_submitted(analysis, dataset):
    with pytest.raises(AnalysisError, match="letters, digits"):
        analysis.submit(dataset, name="../mine")
    with pytest.raises(AnalysisError, match="needs this process"):
        analysis.submit(dataset, on_update=print)
    with pytest.raises(AnalysisError, match="no option 'thread'"):
        analysis.submit(dataset, thread=2)
