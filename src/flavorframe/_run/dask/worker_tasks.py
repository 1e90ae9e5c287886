"""What Dask's workers do: open files and evaluate partitions, several in a task."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from multiprocessing import parent_process
from typing import TypeVar

from distributed import get_worker

from flavorframe._planning.plan import Plan
from flavorframe._rootio import own_process
from flavorframe._run.core.accumulator import PartitionRows
from flavorframe._run.core.attempts import Failed, evaluate, prepare
from flavorframe._run.core.partitions import FileRange
from flavorframe._shipping.user_code import environment, unpacked
from flavorframe._snapshots.promotion import joined
from flavorframe.datasets import Partition
from flavorframe.engines import Engine, FileInfo
from flavorframe.engines.partial import Chunk, Partial

T = TypeVar("T")

_runs: dict[tuple[str, str], tuple[Engine, Plan, str | None]] = {}
"""By run and worker: several workers may be threads of one process."""


ENVIRONMENT = environment()
"""The versions of this process, read at import: the installed files may change later."""


def setup(run: str, worker: str, content: bytes) -> None:
    """Unpack what a worker needs for a run."""
    if parent_process() is not None:  # a nanny's; other workers may be threads of a user's process
        own_process.tune_process()
    _runs[run, worker] = unpacked(content)


def teardown(run: str, worker: str) -> None:
    """Forget what a worker needed for a run."""
    _runs.pop((run, worker), None)


@dataclass(frozen=True)
class Opened:
    """What opening the files of some ranges gave, and on which worker."""

    found: list[FileInfo | Failed]
    worker: str


@dataclass(frozen=True)
class Evaluated:
    """What a task gave: the sum of its partials, rows and failures in order, and on which worker.

    ``began`` and ``ended`` are seconds by the clock of the worker.
    """

    partial: Partial | None
    rows: list[PartitionRows]
    worker: str
    threads: int
    began: float
    ended: float


def open_files(ranges: list[tuple[int, FileRange]], run: str) -> Opened:
    """Open the files of some ranges, given with their numbers."""
    worker = get_worker().address
    engine, plan, tree = _runs[run, worker]
    found = [_located(prepare(engine, plan, file_range, tree)) for _, file_range in ranges]
    return Opened(found, worker)


def evaluate_parts(parts: list[Partition], run: str) -> Evaluated:
    """Evaluate the plan on some partitions, one after the other."""
    worker, began = get_worker(), time.time()
    engine, plan, _ = _runs[run, worker.address]
    total: Partial | None = None
    rows: list[PartitionRows] = []
    for part in parts:
        found = _located(evaluate(engine, plan, part))
        if isinstance(found, Failed):
            rows.append(PartitionRows(part, found))
            continue
        rows.append(PartitionRows(part, found.tables))
        rest = replace(found, tables={})
        total = rest if total is None else total + rest
    if total is not None:
        total = replace(total, timing=replace(total.timing, workers={worker.address: total.timing}))
    rows = list(_merged(rows))
    return Evaluated(total, rows, worker.address, worker.state.nthreads, began, time.time())


def _located(found: T) -> T | Failed:
    """Return a failure with the worker's address; anything else as it is."""
    if isinstance(found, Failed):
        return replace(found, failure=replace(found.failure, worker=get_worker().address))
    return found


def _merged(rows: list[PartitionRows]) -> Iterator[PartitionRows]:
    """Join the rows of partitions that follow each other in a range."""
    for (_, failed), group in groupby(rows, lambda p: (p.part.index, isinstance(p.found, Failed))):
        run = list(group)
        if failed:
            yield from run
        else:
            first, last = run[0].part, run[-1].part
            yield PartitionRows(replace(first, stop=last.stop), _joined_tables(run))


def _joined_tables(run: list[PartitionRows]) -> dict[str, tuple[Chunk, ...]]:
    tables = [each.found for each in run if not isinstance(each.found, Failed)]
    return {
        name: (joined([chunk for table in tables for chunk in table[name]]),) for name in tables[0]
    }
