"""Runs on a Dask cluster of this machine: against its threads, distributed RDataFrame, and nothing.

``python -m benchmarks.distributed`` prints what `measure` gives.
"""

from __future__ import annotations

import contextlib
import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flavorframe as ff
from benchmarks.files import copies, make_file
from benchmarks.measure import available
from flavorframe._planning.plan import Plan
from flavorframe._run.core.options import RunOptions
from flavorframe._run.dask.executor import DaskExecutor
from flavorframe.datasets import Dataset, Partition
from flavorframe.engines import FileInfo
from flavorframe.engines._columnar.engine import ColumnarEngine
from flavorframe.engines.partial import Partial

WORKERS = 2
FILES = 32
"""Five seconds on two threads: a run that one would take to a cluster is longer still."""
SHORT = 8
FOLDER = Path("build/bench")
NOTHING = (1_000, 10_000, 100_000)
"""Partitions of no work."""


def measure(folder: Path, rounds: int = 3, events: int = 300_000) -> dict[str, Any]:
    """Return ratios of medians, the cost of a partition, and the client's memory."""
    from distributed import Client, LocalCluster

    files = copies(make_file(folder, "zstd", events), FILES)
    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        short = compare(race(contenders(client, files[:SHORT]), rounds))
        return {
            **{f"{key}_short": value for key, value in short.items()},
            **compare(race(contenders(client, files), rounds)),
            **cost_of_partitions(cluster.scheduler_address),
        }


def contenders(client: Any, files: list[str]) -> dict[str, Callable[[], int]]:
    """Return what is timed, by name; each returns the number of candidates that it selects."""
    from dsphi import analysis

    only = ff.Analysis(analysis.selection, mass=dict(analysis.outputs)["mass"])

    def ours(on: Any) -> int:
        result = only.run(ff.dataset(files), on=on, threads=WORKERS, progress=False)
        return int(result.mass.sum(flow=True))

    found: dict[str, Callable[[], int]] = {
        "local": lambda: ours(None),
        "dask": lambda: ours(client),
    }
    if available("rdataframe"):
        found["rdataframe"] = distributed_rdataframe(client, files)
    return found


def distributed_rdataframe(client: Any, files: list[str]) -> Callable[[], int]:
    """Return the same selection by RDataFrame on the same workers, compiled once on each."""
    import ROOT

    from benchmarks.contenders.rdataframe import CPP, book

    ROOT.RDF.Distributed.DistributeCppCode(CPP)

    def run() -> int:
        with contextlib.redirect_stdout(io.StringIO()):  # its progress bar
            frame = ROOT.RDataFrame("Tree3Mu/ntuple", files, executor=client)
            return int(book(frame).GetEntries())

    return run


def race(runs: dict[str, Callable[[], int]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each contender, all of them in turn; the first round does not count.

    Raises ValueError where two contenders select different numbers of candidates.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    counts: dict[str, int] = {}
    for number in range(rounds + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            counts[name] = run()
            if number:
                times[name].append(time.perf_counter() - began)
    if len(set(counts.values())) > 1:
        raise ValueError(f"the contenders select different numbers of candidates: {counts}")
    return times


def compare(times: dict[str, list[float]]) -> dict[str, Any]:
    """Return seconds and ratios of medians."""
    medians = {name: statistics.median(values) for name, values in times.items()}
    found: dict[str, Any] = {f"distributed_{name}_seconds": times[name] for name in times}
    found["dask_overhead"] = medians["dask"] / medians["local"]
    if "rdataframe" in medians:
        found["dask_vs_distributed_rdataframe"] = medians["rdataframe"] / medians["dask"]
    return found


class NoWork(ColumnarEngine):
    """An engine for files of as many events as their names say, which it does not look at."""

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Return so many events."""
        return FileInfo(file, "Events", "nano", int(Path(file).stem))

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Return the result of no event."""
        return self.empty(plan)


def cost_of_partitions(address: str) -> dict[str, Any]:
    """Return milliseconds a partition, and the client's memory, by the number of partitions."""
    points = [point(number, address) for number in NOTHING]
    return {
        "partitions_of_no_work": points,
        "partition_overhead_ms": points[-1]["milliseconds"],
        "client_memory_growth": points[-1]["peak_gib"] / points[0]["peak_gib"],
    }


def point(number: int, address: str) -> dict[str, float]:
    """Measure one number of partitions with a client in a process of its own."""
    line = [sys.executable, "-m", "benchmarks.distributed", str(number), address]
    printed = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    found: dict[str, float] = json.loads(printed.strip().splitlines()[-1])
    return found


def run_nothing(number: int, address: str) -> dict[str, float]:
    """Run so many partitions of no work, and return what that took."""
    t = ff.events().triplet
    analysis = ff.Analysis(ff.Selection(t), mass=ff.hist(t.mass, bins=62, range=(1.65, 2.01)))
    dataset = Dataset("nothing", None, (f"/{number}.root",))
    options = RunOptions(partition_size=1, progress=False)
    began = time.perf_counter()
    outcome = DaskExecutor(NoWork(), options, address).run(analysis.plan, dataset)
    seconds = time.perf_counter() - began
    if outcome.gaps:
        raise RuntimeError(f"{len(outcome.gaps)} gaps in a run that can have none")
    return {"partitions": number, "milliseconds": 1000 * seconds / number, "peak_gib": peak_gib()}


def peak_gib() -> float:
    """Return the peak memory of this process, without what it inherited from its parent."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 2**20


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(run_nothing(int(sys.argv[1]), sys.argv[2])))
    else:
        FOLDER.mkdir(parents=True, exist_ok=True)
        print(json.dumps(measure(FOLDER), indent=2))
