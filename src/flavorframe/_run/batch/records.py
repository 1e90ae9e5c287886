"""Records: what a job writes into its part, and the evaluation that yields them."""

from __future__ import annotations

import platform
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from flavorframe._run.batch.folder import Work
from flavorframe._run.batch.shares import Share
from flavorframe._run.core.accumulator import PartitionRows
from flavorframe._run.core.attempts import Failed, evaluate, prepare
from flavorframe._run.core.opened_files import alike, unchanged
from flavorframe._run.core.partitions import FileRange, partitions
from flavorframe._run.core.threads import Pool, ordered
from flavorframe.datasets import Partition
from flavorframe.engines import Engine, FileInfo, Partial, get_engine
from flavorframe.errors import FlavorframeError


@dataclass(frozen=True)
class Opened:
    """What opening the file of a range gave."""

    index: int
    found: FileInfo | Failed


@dataclass(frozen=True)
class Total:
    """The last record of a job: the sum of its partials, and its wall time [s]."""

    partial: Partial
    worker: str
    wall: float


@dataclass(frozen=True)
class Stopped:
    """The only record of a job that ended because the analysis itself is wrong."""

    error: FlavorframeError | None
    text: str


T = TypeVar("T")
Record = Opened | PartitionRows | Total | Stopped


def records(work: Work, shares: Sequence[Share]) -> Iterator[Record]:
    """Yield a record of each file and each of its partitions, in order, and the total."""
    began = time.perf_counter()
    engine, plan, worker = get_engine(work.engine), work.plan, platform.node()

    def items() -> Iterator[Opened | Partition]:
        first: FileInfo | None = None
        for share in shares:
            found = _opened(engine, work, share.file_range, first)
            first = found if first is None and isinstance(found, FileInfo) else first
            yield Opened(share.index, _located(found, worker))
            if isinstance(found, FileInfo):
                yield from partitions_of(share, found, work.partition_size)

    def evaluated(item: Opened | Partition) -> Opened | tuple[Partition, Partial | Failed]:
        if isinstance(item, Opened):
            return item
        return item, _located(evaluate(engine, plan, item, work.retries), worker)

    total = replace(engine.empty(plan), tables={})
    with Pool(work.threads) as pool:
        for found in ordered(pool, evaluated, items(), 2 * work.threads):
            if isinstance(found, Opened):
                yield found
                continue
            part, partial = found
            if isinstance(partial, Partial):
                yield PartitionRows(part, partial.tables)
                total = total + replace(partial, tables={})
            else:
                yield PartitionRows(part, partial)
    total = replace(total, timing=replace(total.timing, workers={worker: total.timing}))
    yield Total(total, worker, time.perf_counter() - began)


def _opened(
    engine: Engine, work: Work, file_range: FileRange, first: FileInfo | None
) -> FileInfo | Failed:
    found = prepare(engine, work.plan, file_range, work.tree, work.retries)
    if not isinstance(found, Failed):
        found = unchanged(found, work.known.get(found.file))
    return found if isinstance(found, Failed) else alike(found, first)


def partitions_of(share: Share, info: FileInfo, size: int) -> Sequence[Partition]:
    """Return the partitions of a share, the same wherever its file is opened."""
    return share.slice_of(list(partitions(share.file_range, share.index, info, size)))


def _located(found: T | Failed, worker: str) -> T | Failed:
    """Return a failure with the name of this machine; anything else as it is."""
    if not isinstance(found, Failed):
        return found
    return replace(found, failure=replace(found.failure, worker=worker))


def is_of_the_analysis(error: Exception) -> bool:
    """Whether an error is of the analysis, so that another attempt would not help."""
    return isinstance(error, FlavorframeError) or not isinstance(error, MemoryError | OSError)


def stopped(error: Exception) -> Stopped:
    """Return the record of an error."""
    text = "".join(traceback.format_exception_only(error)).strip()
    return Stopped(error if isinstance(error, FlavorframeError) else None, text)
