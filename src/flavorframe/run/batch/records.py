"""Records: what a job writes into its part, and how it comes by it."""

from __future__ import annotations

import platform
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from flavorframe.datasets import Partition
from flavorframe.engine import FileInfo, Partial, get_engine
from flavorframe.errors import FlavorframeError
from flavorframe.run.attempts import Failed, evaluate, prepare
from flavorframe.run.batch.folder import Work
from flavorframe.run.batch.shares import Share
from flavorframe.run.partitions import partitions
from flavorframe.run.threads import Pool, ordered


@dataclass(frozen=True)
class Opened:
    """What opening the file of a segment gave."""

    index: int
    found: FileInfo | Failed


@dataclass(frozen=True)
class Came:
    """What evaluating a partition gave."""

    part: Partition
    found: Partial | Failed


@dataclass(frozen=True)
class Stopped:
    """The only record of a job that ended because the analysis itself is wrong."""

    error: FlavorframeError | None
    text: str


T = TypeVar("T")
Record = Opened | Came | Stopped


def records(work: Work, shares: Sequence[Share]) -> Iterator[Record]:
    """Yield what became of each file and of each of its partitions, in order."""
    engine, plan = get_engine(work.engine), work.plan

    def items() -> Iterator[Opened | Partition]:
        for share in shares:
            found = _here(prepare(engine, plan, share.segment, work.tree))
            yield Opened(share.index, found)
            if isinstance(found, FileInfo):
                yield from partitions_of(share, found, work.partition_size)

    def record(item: Opened | Partition) -> Record:
        return item if isinstance(item, Opened) else Came(item, _here(evaluate(engine, plan, item)))

    with Pool(work.threads) as pool:
        yield from ordered(pool, record, items(), 2 * work.threads)


def partitions_of(share: Share, info: FileInfo, size: int) -> Sequence[Partition]:
    """Return the partitions of a share, the same wherever its file is opened."""
    return share.of_list(list(partitions(share.segment, share.index, info, size)))


def _here(found: T | Failed) -> T | Failed:
    """Note on which machine something failed."""
    if not isinstance(found, Failed):
        return found
    return replace(found, failure=replace(found.failure, worker=platform.node()))


def is_of_the_analysis(error: Exception) -> bool:
    """Whether trying again could not help: not so where memory or the system failed."""
    return isinstance(error, FlavorframeError) or not isinstance(error, MemoryError | OSError)


def stopped(error: Exception) -> Stopped:
    """Return the record of an error."""
    text = "".join(traceback.format_exception_only(error)).strip()
    return Stopped(error if isinstance(error, FlavorframeError) else None, text)
