"""Running on Dask: the same bits, whatever happens to workers, files and the scheduler."""

import contextlib
import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import distributed
import numpy as np
import pytest
import uproot

import flavorframe as ff
from flavorframe._run.dask import cluster as dask_cluster
from flavorframe.errors import AnalysisError, ExpressionError, RunError
from support.analyses import assert_same_bits, weighted
from support.reference import MORE
from support.renamed import renamed
from support.row_files import LAYOUT, write_rows
from support.servers import wait_for

pytestmark = pytest.mark.xdist_group("dask")


def process_ids(client):
    return list(client.run(os.getpid).values())


def have_two_workers(cluster, client):
    """Wait for two workers; a nanny whose worker was killed sometimes does not start another."""
    deadline = time.monotonic() + 5
    while len(client.nthreads()) != 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    if len(client.nthreads()) != 2:
        cluster.scale(0)
        wait_for(lambda: not client.nthreads())
        cluster.scale(2)
        wait_for(lambda: len(client.nthreads()) == 2)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers_and_partitions_do_not_matter(cluster, client, analysis, dataset, same, workers):
    local = analysis.run(dataset, progress=False)
    cluster.scale(workers)
    wait_for(lambda: len(client.nthreads()) == workers)
    try:
        for size in (None, 137, 1000):
            same(analysis.run(dataset, on=client, progress=False, partition_size=size), local)
    finally:
        cluster.scale(2)
        wait_for(lambda: len(client.nthreads()) == 2)


def test_workers_take_the_layout_along(client, sample, tmp_path):
    path = tmp_path / "own.root"
    data = ff.dataset(path, layout=ff.layout("mine", **renamed(sample("nano"), path)))
    found = weighted().run(data, on=client, progress=False, partition_size=500)
    assert_same_bits(found, weighted().run(data, progress=False))


def test_workers_read_rows_and_friends(client, sample, tmp_path):
    path, scores = tmp_path / "rows.root", tmp_path / "scores.root"
    tree = uproot.open(write_rows(sample("nano"), path, rows_per_basket=97))["DecayTree"]
    event, first = np.unique(tree["event"].array(library="np"), return_index=True)
    with uproot.recreate(scores) as file:
        file["scores"] = {"event": event[::2], "bdt": first[::2] % 7 / 7}
    friends = {"scores": ff.friend(scores, on="event")}
    data = ff.dataset(path, layout=LAYOUT, friends=friends)
    events = ff.events(friends=["scores"])
    t = events.triplet
    selection = ff.Selection(t).cut("BDT", events.scores.bdt > 0.3).best(highest=t.pt)
    plan = ff.Analysis(selection, rows=ff.snapshot(t.mass, bdt=events.scores.bdt))
    here = plan.run(data, progress=False)
    found = plan.run(data, on=client, progress=False, partition_size=100)
    assert len(here.rows.columns["bdt"]) > 50
    assert found.links == here.links
    assert found.rows.columns["mass"].tolist() == here.rows.columns["mass"].tolist()


def test_targets(cluster, client, analysis, dataset, same):
    local = analysis.run(dataset, progress=False)
    for on in (cluster, cluster.scheduler_address):
        same(analysis.run(dataset, on=on, progress=False), local)
    with pytest.raises(AnalysisError, match="Did you mean 'dask'"):
        analysis.run(dataset, on="dsk")
    with pytest.raises(AnalysisError, match="is nowhere to run"):
        analysis.run(dataset, on=7)


@pytest.mark.parametrize("engine", ["columnar", "rdataframe"])
def test_a_catalogue_has_one_cluster(analysis, files, same, monkeypatch, engine):
    made = []

    class Counted(distributed.LocalCluster):
        def __init__(self, **options):
            made.append(self)
            place = options.pop("dashboard_address").replace(":8787", ":0")  # which may be taken
            super().__init__(dashboard_address=place, **options)
            sockets = self.scheduler.http_server._sockets.values()
            assert {one.getsockname()[0] for one in sockets} == {"127.0.0.1"}

    monkeypatch.setattr(distributed, "LocalCluster", Counted)
    data = {name: ff.dataset(files[:2], name=name) for name in ("2017B", "2018A")}
    histogram = ff.Analysis(analysis.selection, mass=dict(analysis.outputs)["mass"])
    if engine == "rdataframe":
        t = ff.events().triplet
        histogram = ff.Analysis(ff.Selection(t), mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)))
    results = histogram.run(data, on="dask", threads=1, engine=engine, progress=False)
    for era, local in histogram.run(data, progress=False).items():
        assert results[era].mass == local.mass
        assert results[era].is_complete
    assert [cluster.status.name for cluster in made] == ["closed"]


def test_snapshots_are_one_file_and_nothing_stays_behind(client, analysis, dataset, tmp_path):
    from flavorframe._run.dask import worker_tasks

    t = ff.events().triplet
    path = tmp_path / "rows.parquet"
    to_file = analysis.with_outputs(rows=ff.snapshot(t.mass, path=path))
    result = to_file.run(dataset, on=client, progress=False, partition_size=300)
    import pyarrow.parquet

    rows = analysis.run(dataset, progress=False).rows
    np.testing.assert_array_equal(pyarrow.parquet.read_table(path)["mass"], rows["mass"])
    assert len(result.rows) == len(rows)
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, f"{path.name}.manifest.json"]
    assert set(map(len, client.run(lambda: worker_tasks._runs).values())) == {0}


def test_time_is_broken_down_by_worker(client, slow_analysis, dataset, tmp_path):
    result = slow_analysis.run(dataset, on=client, progress=False, partition_size=1000)
    timing = result.timing
    assert set(timing.workers) <= set(client.nthreads())
    assert sum(worker.events for worker in timing.workers.values()) == timing.events
    assert sum(worker.bytes_read for worker in timing.workers.values()) == timing.bytes_read
    for worker in timing.workers.values():
        assert worker.computing >= 0.05
        assert worker.wall >= worker.computing
        assert worker.waiting >= 0
    assert next(iter(timing.workers)) in repr(timing)
    assert next(iter(timing.workers)) in timing._repr_html_()
    page = ff.report.write(tmp_path / "report.html", result, title="Workers").read_text("utf-8")
    assert f"<td>{next(iter(timing.workers))}</td>" in page
    result.save(tmp_path)
    assert ff.load(tmp_path)["dataset"].timing == timing


@pytest.mark.parametrize("seed", range(2 * MORE))
def test_a_killed_worker_changes_nothing(
    cluster, client, slow_analysis, analysis, dataset, same, seed
):
    local = analysis.run(dataset, progress=False)
    have_two_workers(cluster, client)
    pick = random.Random(seed)
    victim, delay = pick.choice(process_ids(client)), pick.uniform(0.1, 1.2)
    killer = threading.Timer(delay, os.kill, (victim, signal.SIGKILL))
    killer.start()
    result = slow_analysis.run(dataset, on=client, progress=False, partition_size=300)
    killer.join()
    same(result, local)
    assert result.is_complete


def test_a_worker_that_dies_when_the_run_begins(cluster, client, tmp_path):
    """Dask's scheduler then breaks off what it was asked."""
    from distributed import WorkerPlugin

    mark = str(tmp_path / "mark")

    class Once(WorkerPlugin):
        name = "once"

        def setup(self, worker):
            with contextlib.suppress(FileExistsError):
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
                os.kill(os.getpid(), signal.SIGKILL)

    have_two_workers(cluster, client)
    dask_cluster.register(client, Once(), "once")
    assert os.path.exists(mark)
    have_two_workers(cluster, client)
    has_it = client.run(lambda dask_worker: "once" in dask_worker.plugins)
    client.unregister_worker_plugin("once")
    assert list(has_it.values()) == [True, True]


def test_a_partition_that_kills_workers_is_a_failure(dataset):
    import dask
    from distributed import LocalCluster

    @ff.function
    def deadly(mass):
        if np.any(mass == fatal):
            os.kill(os.getpid(), signal.SIGKILL)
        return mass

    t = ff.events().triplet
    whole = ff.Analysis(ff.Selection(t), rows=ff.snapshot(t.mass)).run(dataset)
    fatal = whole.rows["mass"][-1]  # in the last of the files, and in the one it is a copy of
    bad = ff.Analysis(ff.Selection(t).cut("deadly", deadly(t.mass) > 0))
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
    ):
        result = bad.run(dataset, on=cluster, progress=False, partition_size=500, retries=1)
    assert [Path(failure.file).name for failure in result.failures] == ["2.root", "5.root"]
    for failure in result.failures:
        assert (failure.kind, failure.attempts) == ("KilledWorker", 2)
        assert failure.worker.startswith("tcp://")
        assert "were killed" in failure.reason
    assert result.events == whole.events - result.failures.events_lost > 0


def test_a_file_that_vanishes_is_a_failure_and_can_be_resumed(
    client, analysis, slow_analysis, files, tmp_path, same
):
    names = [tmp_path / Path(file).name for file in files]
    for file, name in zip(files, names, strict=True):
        shutil.copy(file, name)
    dataset = ff.dataset(names, luminosity=6.0)
    local = analysis.run(dataset, progress=False)
    hidden = tmp_path / "hidden"
    names[4].rename(hidden)
    missing = analysis.run(dataset, on=client, progress=False, partition_size=300)
    assert [failure.file for failure in missing.failures] == [str(names[4])]
    assert missing.failures[0].worker in client.nthreads()
    assert missing.luminosity < 6
    hidden.rename(names[4])
    same(missing.resume(on=client, progress=False), local)
    same(missing.resume(progress=False, partition_size=77), local)


def test_errors_of_the_analysis_are_raised_with_their_cause(client, dataset):
    @ff.function
    def wrong(x):
        return x[: len(x) // 0]

    t = ff.events().triplet
    with pytest.raises(ExpressionError, match="The function wrong") as caught:
        ff.Analysis(ff.Selection(t).cut("wrong", wrong(t.mass) > 1)).run(
            dataset, on=client, progress=False
        )
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    wait_for(lambda: not client.processing() or not any(client.processing().values()))


def test_the_users_own_modules_travel(client, dataset, tmp_path, monkeypatch):
    (tmp_path / "my_constants.py").write_text("SHIFT = 0.25\n")
    (tmp_path / "my_helpers.py").write_text(
        "import my_constants\ndef shifted(x):\n    return x + my_constants.SHIFT\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    helpers = importlib.import_module("my_helpers")
    t = ff.events().triplet
    shifted = ff.Analysis(
        ff.Selection(t),
        mass=ff.hist(ff.function(helpers.shifted)(t.mass), bins=9, range=(1.8, 2.4)),
    )
    result = shifted.run(dataset, on=client, progress=False)
    assert result.mass == shifted.run(dataset, progress=False).mass
    for name in ("my_helpers", "my_constants"):
        sys.modules.pop(name, None)


def test_workers_that_join_later_take_part(slow_analysis, analysis, dataset, same):
    from distributed import LocalCluster

    local = analysis.run(dataset, progress=False)
    with LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=":0") as cluster:
        cluster.adapt(minimum=0, maximum=3, interval="200ms", target_duration="500ms")
        result = slow_analysis.run(dataset, on=cluster, progress=False, partition_size=200)
    same(result, local)
    assert len(result.timing.workers) > 1


@pytest.fixture
def often(monkeypatch):
    """Have runs tell what they have several times a second."""
    monkeypatch.setattr("flavorframe._run.core.updates.UPDATE_SECONDS", 0.2)


def test_results_so_far_and_stopping(client, slow_analysis, analysis, dataset, same, often):
    seen = []
    result = slow_analysis.run(
        dataset, on=client, progress=False, partition_size=200,
        on_update=seen.append, should_stop=lambda: len(seen) >= 2,
    )  # fmt: skip
    assert [r.is_complete for r in seen] == [False] * len(seen)
    assert 0 < seen[0].fraction <= seen[-1].fraction <= result.fraction < 1
    assert seen[-1].mass.sum().value > 0
    assert result.stopped == "stopped"
    assert "PARTIAL" in repr(result)
    assert result.luminosity == pytest.approx(6 * result.fraction)
    same(result.resume(on=client, progress=False), analysis.run(dataset, progress=False))


def test_an_interrupt_keeps_what_there_is(client, slow_analysis, analysis, dataset, same, often):
    def interrupt(result):
        raise KeyboardInterrupt

    for on in (client, None):
        result = slow_analysis.run(
            dataset, on=on, progress=False, partition_size=200, on_update=interrupt
        )
        assert result.stopped == "interrupted"
        same(result.resume(progress=False), analysis.run(dataset, progress=False))


def test_a_scheduler_that_dies_leaves_a_result_to_be_resumed(
    slow_analysis, analysis, dataset, same, tmp_path, often
):
    with scheduler(tmp_path, workers=2) as (address, process):

        def kill(result):
            process.send_signal(signal.SIGKILL)

        result = slow_analysis.run(
            dataset, on=address, progress=False, partition_size=200, on_update=kill
        )
    assert "was lost" in result.stopped
    assert 0 < result.fraction < 1
    local = analysis.run(dataset, progress=False)
    same(result.resume(progress=False), local)
    result.save(tmp_path / "saved")
    saved = ff.load(tmp_path / "saved")["dataset"]
    assert not saved.is_complete
    same(saved.resume(progress=False), local)


class scheduler:  # noqa: N801
    """A Dask scheduler and workers as processes of their own."""

    def __init__(self, folder, workers):
        self.folder, self.workers = folder, workers

    def __enter__(self):
        dask = [sys.executable, "-m", "dask"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        file = self.folder / "scheduler.json"
        self.scheduler = subprocess.Popen(
            [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
             "--scheduler-file", str(file)], **quiet,
        )  # fmt: skip
        self.worker = subprocess.Popen(
            [*dask, "worker", "--scheduler-file", str(file), "--nworkers", str(self.workers),
             "--nthreads", "1", "--no-dashboard", "--death-timeout", "20"], **quiet,
        )  # fmt: skip
        wait_for(file.exists)
        import json

        address = json.loads(file.read_text())["address"]
        return address, self.scheduler

    def __exit__(self, *error):
        for process in (self.worker, self.scheduler):
            process.terminate()
            process.wait(20)


def test_workers_that_lack_a_package(client, analysis, dataset, monkeypatch, same):
    def packed(content):
        return b"cno_such_package\nfunction\n."

    local = analysis.run(dataset, progress=False)
    with monkeypatch.context() as patch:
        patch.setattr("flavorframe._run.dask.executor.packed", packed)
        with pytest.raises(RunError, match="cannot take the analysis: .*no_such_package"):
            analysis.run(dataset, on=client, progress=False)
    same(analysis.run(dataset, on=client, progress=False), local)


def test_nobody_at_the_address(analysis, dataset, monkeypatch):
    import dask

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "0.5s"}),
        pytest.raises(RunError, match="no Dask scheduler answers at tcp://127.0.0.1:9"),
    ):
        analysis.run(dataset, on="tcp://127.0.0.1:9")


def test_performance_report(client, analysis, dataset, tmp_path):
    report = tmp_path / "report.html"
    analysis.run(dataset, on=client, progress=False, performance_report=report)
    assert "bokeh" in report.read_text().lower()


def test_progress_shows_dashboard_and_workers(client, slow_analysis, dataset, capsys):
    slow_analysis.run(dataset, on=client, progress=True)
    shown = capsys.readouterr().err
    assert "dashboard: http://" in shown
    assert "events/s" in shown
    assert next(iter(client.nthreads())) in shown


def test_a_scheduler_that_dies_before_the_run(client, monkeypatch):
    async def lost(**more):
        raise OSError("Stream is closed")

    monkeypatch.setattr(dask_cluster, "ATTEMPTS", 1)
    monkeypatch.setattr(client.scheduler, "register_worker_plugin", lost, raising=False)
    with pytest.raises(RunError, match="the scheduler tcp://.* was lost before the run: Stream"):
        dask_cluster.register(
            client, dask_cluster.same_version_plugin("run", "nowhere", b""), "run"
        )
