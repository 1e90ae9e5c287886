"""What Dask's workers do: open files and evaluate partitions, several in a task."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from distributed import WorkerPlugin, get_worker

from flavorframe.datasets import Partition
from flavorframe.engine import Engine, FileInfo
from flavorframe.engine.partial import Chunk, Partial
from flavorframe.plan import Plan
from flavorframe.run.attempts import Failed, evaluate, prepare
from flavorframe.run.gathering import Piece
from flavorframe.run.partitions import Segment
from flavorframe.run.rows import joined
from flavorframe.travel import unpacked

_runs: dict[tuple[str, str], tuple[Engine, Plan, str | None]] = {}
"""By run and worker: several workers may be threads of one process."""


class Evaluation(WorkerPlugin):  # type: ignore[misc]
    """Brings engine and plan to each worker once, also to those that join later."""

    def __init__(self, run: str, content: bytes) -> None:
        self.name = self.run = run
        self.content = content

    def setup(self, worker: Any) -> None:
        """Unpack what the worker needs."""
        _runs[self.run, worker.address] = unpacked(self.content)

    def teardown(self, worker: Any) -> None:
        """Forget it."""
        _runs.pop((self.run, worker.address), None)


@dataclass(frozen=True)
class Evaluated:
    """What a task gave: the sum of its partials, rows and failures in order, and who did it."""

    partial: Partial | None
    pieces: list[Piece]
    worker: str
    threads: int
    began: float
    ended: float


def open_files(segments: list[tuple[int, Segment]], run: str) -> list[FileInfo | Failed]:
    """Open the files of some segments, given with their numbers."""
    engine, plan, tree = _runs[run, get_worker().address]
    return [_located(prepare(engine, plan, segment, tree)) for _, segment in segments]


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
