"""What Dask's workers do: open files and evaluate partitions, several in a task."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from multiprocessing import parent_process
from typing import Any

from distributed import get_worker

from flavorframe._planning.plan import Plan
from flavorframe._rootio import own_process
from flavorframe._run.core.attempts import Failed, evaluate, prepare
from flavorframe._run.core.gathering import Piece
from flavorframe._run.core.partitions import Segment
from flavorframe._run.snapshots.rows import joined
from flavorframe._travel.user_code import environment, unpacked
from flavorframe.datasets import Partition
from flavorframe.engines import Engine, FileInfo
from flavorframe.engines.partial import Chunk, Partial

_runs: dict[tuple[str, str], tuple[Engine, Plan, str | None]] = {}
"""By run and worker: several workers may be threads of one process."""


ENVIRONMENT = environment()
"""What this process has, noted while its code is the one that is loaded."""


def begin(run: str, worker: str, content: bytes) -> None:
    """Unpack what a worker needs for a run."""
    if parent_process() is not None:  # a nanny's; other workers may be threads of a user's process
        own_process.tune()
    _runs[run, worker] = unpacked(content)


def end(run: str, worker: str) -> None:
    """Forget it."""
    _runs.pop((run, worker), None)


@dataclass(frozen=True)
class Opened:
    """What opening the files of some segments gave, and who did it."""

    found: list[FileInfo | Failed]
    worker: str


@dataclass(frozen=True)
class Evaluated:
    """What a task gave: the sum of its partials, rows and failures in order, and who did it."""

    partial: Partial | None
    pieces: list[Piece]
    worker: str
    threads: int
    began: float
    ended: float


def open_files(segments: list[tuple[int, Segment]], run: str) -> Opened:
    """Open the files of some segments, given with their numbers."""
    worker = get_worker().address
    engine, plan, tree = _runs[run, worker]
    found = [_located(prepare(engine, plan, segment, tree)) for _, segment in segments]
    return Opened(found, worker)


def evaluate_parts(parts: list[Partition], run: str) -> Evaluated:
    """Evaluate the plan on some partitions, one after the other."""
    worker, began = get_worker(), time.time()
    engine, plan, _ = _runs[run, worker.address]
    total: Partial | None = None
    pieces: list[Piece] = []
    for part in parts:
        found = _located(evaluate(engine, plan, part))
        if isinstance(found, Failed):
            pieces.append(Piece(part, found))
            continue
        pieces.append(Piece(part, found.tables))
        rest = replace(found, tables={})
        total = rest if total is None else total + rest
    if total is not None:
        total = replace(total, timing=replace(total.timing, workers={worker.address: total.timing}))
    pieces = list(_merged(pieces))
    return Evaluated(total, pieces, worker.address, worker.state.nthreads, began, time.time())


def _located(found: Any) -> Any:
    """Return a failure with the worker's address; anything else as it is."""
    if isinstance(found, Failed):
        return replace(found, failure=replace(found.failure, worker=get_worker().address))
    return found


def _merged(pieces: list[Piece]) -> Iterator[Piece]:
    """Make one piece of those that follow each other in a segment."""
    for (_, failed), group in groupby(
        pieces, lambda p: (p.part.index, isinstance(p.found, Failed))
    ):
        run = list(group)
        if failed:
            yield from run
        else:
            first, last = run[0].part, run[-1].part
            yield Piece(replace(first, stop=last.stop), _joined_tables(run))


def _joined_tables(run: list[Piece]) -> dict[str, tuple[Chunk, ...]]:
    tables = [piece.found for piece in run if not isinstance(piece.found, Failed)]
    return {
        name: (joined([chunk for table in tables for chunk in table[name]]),) for name in tables[0]
    }
