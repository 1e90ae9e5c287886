"""Workers of Dask that are other than the rest: other versions, other files, no sign of life."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import flavorframe as ff
from flavorframe._run.dask import (
    cluster as dask_cluster,
    task_manager as dask_tasks,
    workers as dask_workers,
)
from flavorframe._run.dask.workers import Workers
from flavorframe.errors import RunError
from support import servers

pytestmark = pytest.mark.xdist_group("dask")


@contextlib.contextmanager
def worker(client, folder, **environment):
    """Have a worker of one thread join, from a process of its own in a folder."""
    before = set(client.nthreads())
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", client.scheduler.address,
         "--nthreads", "1", "--no-nanny", "--no-dashboard"],
        cwd=folder, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        servers.wait_for(lambda: set(client.nthreads()) > before)
        (address,) = set(client.nthreads()) - before
        yield address, process
    finally:
        process.kill()
        process.wait()
        servers.wait_for(lambda: set(client.nthreads()) <= before)


def other_flavorframe(folder, what):
    """Return the folder of another flavorframe: the same with another meaning, or hardly any."""
    package = folder / "flavorframe"
    if what == "changed":
        shutil.copytree(Path(ff.__file__).parent, package)
        module = package / "errors.py"
        module.write_text(f"{module.read_text()}\n# changed\n")
    else:
        package.mkdir()
        (package / "__init__.py").write_text("__version__ = '0.0.9'\n")
    return str(folder)


@pytest.mark.parametrize("what", ["changed", "old"])
def test_a_worker_with_another_flavorframe_is_refused_by_name(
    client, slow_analysis, analysis, dataset, same, tmp_path, what
):
    local = analysis.run(dataset, progress=False)
    path = other_flavorframe(tmp_path, what)
    with worker(client, tmp_path / "there", PYTHONPATH=path) as (address, _):
        told = rf"left to others: worker {address}: it has .*flavorframe 0\.\d\.\d .* instead of"
        with pytest.warns(UserWarning, match=told):
            result = slow_analysis.run(
                dataset, on=client, progress=False, partition_size=1000, files=__file__
            )
    same(result, local)
    assert address not in result.timing.workers


def test_one_that_joins_later_is_refused_too(client, slow_analysis, dataset, same, tmp_path):
    local = slow_analysis.run(dataset, progress=False)
    path = other_flavorframe(tmp_path, "old")
    with contextlib.ExitStack() as stack:

        def join(result):
            if not addresses:
                joined = worker(client, tmp_path / "there", PYTHONPATH=path)
                addresses.append(stack.enter_context(joined)[0])

        addresses = []
        with pytest.warns(UserWarning, match="flavorframe 0.0.9"):
            result = slow_analysis.run(
                dataset, on=client, progress=False, partition_size=100, on_update=join
            )
    same(result, local)
    assert addresses[0] not in result.timing.workers


def test_where_all_workers_are_others(analysis, dataset, tmp_path):
    from distributed import LocalCluster

    path = other_flavorframe(tmp_path, "changed")
    with (
        LocalCluster(n_workers=0, dashboard_address=":0") as cluster,
        cluster.get_client() as client,
        worker(client, tmp_path / "there", PYTHONPATH=path) as (address, _),
        pytest.raises(RunError, match=f"cannot take the analysis: worker {address}: it has flav"),
    ):
        analysis.run(dataset, on=client, progress=False)


@pytest.mark.root
def test_an_engine_that_gives_work_to_each_wants_all_alike(client, files, tmp_path):
    t = ff.events().triplet
    mass = ff.Analysis(ff.Selection(t), mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)))
    path = other_flavorframe(tmp_path, "old")
    with (
        worker(client, tmp_path / "there", PYTHONPATH=path) as (address, _),
        pytest.raises(RunError, match=f"not all workers can .*: worker {address}: it has flavorf"),
    ):
        mass.run(ff.dataset(files), on=client, engine="rdataframe", progress=False)


def of_this_folder(files, folder):
    """Return a dataset of files that processes in the folder see, and no others."""
    folder.mkdir()
    for file in files:
        shutil.copy(file, folder)
    return [f"/proc/self/cwd/{Path(file).name}" for file in files]


def test_files_that_some_workers_do_not_see_are_read_by_others(
    client, analysis, files, same, tmp_path, monkeypatch
):
    dataset = ff.dataset(of_this_folder(files, tmp_path / "seen"))
    blind = list(client.nthreads())
    with worker(client, tmp_path / "seen") as (address, _):
        with pytest.warns(UserWarning, match=f"it could not read /proc.*root, which {address}"):
            result = analysis.run(dataset, on=client, progress=False, partition_size=500)
        monkeypatch.chdir(tmp_path / "seen")
        same(result, analysis.run(dataset, progress=False))
    assert result.is_complete
    assert not set(blind) & set(result.timing.workers)


def test_a_file_that_nobody_finds_is_tried_by_few(client, analysis, files, tmp_path, monkeypatch):
    gone = tmp_path / "gone.root"
    shutil.copy(files[0], gone)
    dataset = ff.dataset([*files, gone])
    gone.unlink()
    monkeypatch.setattr(dask_tasks, "TRIES", 2)
    result = analysis.run(dataset, on=client, progress=False)
    (failure,) = result.failures
    assert (failure.file, failure.attempts) == (str(gone), 2)


class TestWorkers:
    @pytest.fixture
    def workers(self):
        workers = Workers()
        workers.set_present(["a", "b", "c"])
        return workers

    def test_everybody_takes_part_at_first(self, workers):
        assert workers.choice() is None
        assert workers.choice({"a"}) == ("b", "c")

    def test_one_local_file_is_enough_and_somebody_is_always_left(self, workers):
        workers.read("a", ["b"], "x.root", remote=False)
        assert workers.choice() == ("a", "c")
        workers.read("c", ["a"], "y.root", remote=False)
        assert workers.choice() == ("c",)
        workers.read("b", ["c"], "z.root", remote=False)
        assert workers.choice() == ("c",)
        assert workers.choice({"c"}) == ("a", "b")  # better than nobody

    def test_servers_that_are_down_for_a_moment_are_nobodys_fault(self, workers):
        for _ in range(5):
            workers.read("a", ["b"], "root://x", remote=True)
            workers.read("b", ["a"], "root://x", remote=True)
        assert workers.choice() is None
        for _ in range(3):
            workers.read("a", ["c"], "root://x", remote=True)
        assert workers.choice() == ("a", "b")

    def test_who_has_read_something_comes_first(self, workers):
        workers.read("c", [], "x.root", remote=False)
        assert workers.choice({"a"}) == ("c",)
        assert workers.choice({"a", "c"}) == ("b",)

    def test_who_has_gone_silent_and_comes_back(self, workers):
        workers.note_last_seen({"a": 1.0, "b": 1.0}, 0.0)
        workers.note_last_seen({"a": 9.0, "b": 1.0}, 61.0)
        assert workers.choice() == ("a", "c")
        workers.note_last_seen({"a": 9.0, "b": 2.0}, 62.0)
        assert workers.choice() is None


@pytest.fixture
def impatient(monkeypatch):
    """Have workers pass for hung after a moment."""
    monkeypatch.setattr(dask_workers, "SILENT_SECONDS", 2.0)
    monkeypatch.setattr(dask_cluster, "SECONDS", 1.0)
    monkeypatch.setattr(dask_cluster, "REGISTER_SECONDS", 1.0)
    monkeypatch.setattr(dask_tasks, "HEAR_SECONDS", 0.5)


def test_what_a_worker_hangs_at_is_given_to_others_and_counts_once(
    client, slow_analysis, dataset, same, tmp_path, impatient
):
    local = slow_analysis.run(dataset, progress=False)
    with worker(client, tmp_path / "there") as (address, process):
        hangs = []

        def hang(result):
            if not hangs:
                process.send_signal(signal.SIGSTOP)
                hangs.append(time.monotonic())

        with pytest.warns(UserWarning, match=rf"{address}: it gave no sign of life for 2 s"):
            result = slow_analysis.run(
                dataset, on=client, progress=False, partition_size=100, on_update=hang
            )
        assert time.monotonic() - hangs[0] < 100  # a scheduler itself waits for five minutes
        same(result, local)
        process.send_signal(signal.SIGCONT)
        same(slow_analysis.run(dataset, on=client, progress=False, partition_size=2000), local)
        servers.wait_for(lambda: not client.has_what().get(address))


def test_a_run_begins_though_a_worker_hangs(client, analysis, dataset, same, tmp_path, impatient):
    local = analysis.run(dataset, progress=False)
    with worker(client, tmp_path / "there") as (address, process):
        process.send_signal(signal.SIGSTOP)
        with pytest.warns(UserWarning, match=rf"{address}: it gave no sign of life"):
            result = analysis.run(dataset, on=client, progress=False, partition_size=100)
    same(result, local)
