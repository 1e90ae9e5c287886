"""Detached runs, looked after from other processes."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

import flavorframe as ff
from flavorframe._files import writing
from flavorframe._run.core.options import RunOptions
from flavorframe._run.detached import conduct as conduct_module
from flavorframe._run.detached.conduct import Start, SupersededError, conduct, ended
from flavorframe._run.detached.dask_store import DaskStore
from flavorframe._run.detached.folder_store import ROOM, FolderStore
from flavorframe._run.detached.job import Job
from flavorframe._run.detached.run import Run
from flavorframe._run.detached.submit import _same_here
from flavorframe._run.run_datasets import run_datasets
from flavorframe._shipping.user_code import environment, packed
from flavorframe.errors import AnalysisError, ExpressionError, RunError
from support import servers

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
print(run.result(timeout=180).events)
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
    run = slow_analysis.submit(dataset, name="mine", on=address, partition_size=10)
    assert 0 < look(address, "stop") < 14_000
    assert run.status == "stopped"
    result = run.result()
    assert not result.is_complete
    whole = result.resume(on=cluster, progress=False, partition_size=1000)
    same(whole, analysis.run(dataset, progress=False))
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
            run.result(timeout=servers.PATIENCE)
        assert run.status == "failed"
        run.forget()


def test_a_killed_run_is_lost(slow_analysis, dataset):
    run = slow_analysis.submit(dataset, name="mine", partition_size=50, threads=1)
    with pytest.raises(TimeoutError, match="still (starting|running)"):
        run.result(timeout=0.5)
    pid = int(servers.wait_for(lambda: FolderStore("mine").get("process")).split()[0])
    psutil.Process(pid).kill()
    servers.wait_for(lambda: run.status == "lost")
    with pytest.raises(RunError, match="what conducted it was killed"):
        run.result()
    run.forget()


def test_another_worker_begins_anew_and_says_so(cluster, client, slow_analysis, dataset, same):
    run = slow_analysis.submit(dataset, name="again", on=cluster, partition_size=300)
    servers.wait_for(lambda: run.events > 0)
    assert run.starts == 1
    os.kill(int(DaskStore("again", client).get("process")), signal.SIGKILL)
    result = run.result(timeout=servers.PATIENCE)
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


def test_a_run_is_there_with_what_conducts_it(slow_analysis, dataset, monkeypatch):
    """Who attaches before the process was started does not take the run for lost."""
    seen = []

    def popen(*arguments, **options):
        seen.append((ff.attach("mine").status, ff.attach("mine").starts))
        return Popen(*arguments, **options)

    Popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", popen)
    run = slow_analysis.submit(dataset, name="mine")
    assert seen == [("starting", 0)]
    assert run.result(timeout=servers.PATIENCE).is_complete


SUBMIT = """
import sys, time
import flavorframe as ff
analysis = ff.Analysis(ff.Selection(ff.events().triplet))
data = [ff.dataset(sys.argv[2:4]), ff.dataset(sys.argv[2:3])][int(sys.argv[1])]
while time.time() < float(sys.argv[4]):
    pass
try:
    run = analysis.submit(data, name="mine", on=sys.argv[5] or None)
    assert run.result(timeout=180).dataset == data
    print("started")
except ff.FlavorframeError as error:
    print(error)
"""


@pytest.mark.parametrize("where", ["here", "cluster"])
def test_of_two_of_one_name_one_is_told(cluster, files, where):
    on = cluster.scheduler_address if where == "cluster" else ""
    begin = str(time.time() + 2.5)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SUBMIT, str(number), *files[:2], begin, on],
            stdout=subprocess.PIPE, text=True,
        )
        for number in range(2)
    ]  # fmt: skip
    told = sorted(process.communicate(timeout=servers.PATIENCE)[0] for process in processes)
    ff.attach("mine", on=on or None).forget()
    assert told[0] == "started\n"
    assert "there is a run 'mine' already" in told[1]


@pytest.fixture(params=["here", "cluster"])
def store(request):
    """Return the store of a run that has begun."""
    if request.param == "here":
        store = FolderStore("mine")
    else:
        store = DaskStore("mine", request.getfixturevalue("client"))
    assert store.create(b"")
    yield store
    store.clear()


class TestStarts:
    def test_what_has_ended_stays_so(self, store):
        """A conductor hangs, another takes its place and ends, and the first goes on."""
        first, second = Start(store, 1), Start(store, 2)
        run = Run("mine", store)
        store.put("starts", b"1")
        first.record("running")
        store.put("starts", b"2")
        with pytest.raises(SupersededError):
            first.require_latest()
        second.record("running")
        second.end("finished", packed("the result"))
        first.record("running")
        assert (run.status, run.result()) == ("finished", "the result")
        with pytest.raises(SupersededError):
            first.end("failed", packed(RunError("its cluster was lost")))
        assert (run.status, run.result()) == ("finished", "the result")

    def test_a_conductor_that_hung_leaves_the_run_to_its_successor(
        self, store, dataset, monkeypatch
    ):
        t = ff.events().triplet
        analysis = ff.Analysis(ff.Selection(t), rows=ff.snapshot(t.mass, path="never.root"))

        def begun_anew_elsewhere(plan, data, options):
            store.put("starts", b"2")
            options.should_stop()
            return run_datasets(plan, data, options)

        monkeypatch.setattr(conduct_module, "run_datasets", begun_anew_elsewhere)
        conduct(store, lambda: Job(analysis.plan, dataset, RunOptions()))
        assert ended(store) is None
        assert not os.path.exists("never.root")


def test_a_result_that_is_damaged_on_disk_is_refused(analysis, dataset):
    run = analysis.submit(dataset, name="mine")
    run.result(timeout=servers.PATIENCE)
    file = FolderStore("mine").folder / "result"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(RunError, match="result is damaged"):
        run.result()
    (file.parent / "state").write_bytes(b"")
    with pytest.raises(RunError, match="state is damaged"):
        ff.attach("mine").status  # noqa: B018
    run.forget()
    assert not file.parent.exists()


def test_a_result_that_has_no_room_is_told_of(analysis, dataset, monkeypatch):
    store = FolderStore("mine")
    store.create(b"")
    room = store.folder / "room"
    write = writing.write_private

    def full(path, content):
        if (room.exists() and path.name in ("result", "so_far")) or len(content) > ROOM:
            raise RunError(f"cannot write {path.name}: No space left on device.")
        write(path, content)

    monkeypatch.setattr("flavorframe._run.detached.folder_store.write_private", full)
    conduct(store, lambda: Job(analysis.plan, dataset, RunOptions(progress=False)))
    assert Run("mine", store).status == "failed"
    with pytest.raises(RunError, match="its result could not be kept: cannot write result: No sp"):
        Run("mine", store).result()


def test_a_conductor_with_another_flavorframe_refuses(analysis, dataset):
    wanted = {**environment(), "numpy": "0.9"}
    with pytest.raises(RunError, match=r"has numpy .* instead of 0\.9: install the same there"):
        _same_here(packed(Job(analysis.plan, dataset, RunOptions())), wanted)
