"""The tasks of a run on Dask: files to open, or partitions to evaluate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from flavorframe._run.core.attempts import Failed
from flavorframe._run.core.partitions import FileRange
from flavorframe.datasets import Partition
from flavorframe.errors import RunError
from flavorframe.result import Failure

T = TypeVar("T")

Item = Partition | tuple[int, FileRange]
"""A partition to evaluate, or a range whose file is to be opened, with its number."""
KILLED = "the workers that read it were killed: out of memory, or a crash; their logs tell."


@dataclass(frozen=True)
class Task:
    """Items for the function ``work`` of `flavorframe._run.dask.worker_tasks`.

    ``tried`` are the workers that could not read them, ``moves`` is how often it was taken from
    workers that hung.
    """

    work: str
    items: Sequence[Item]
    attempts: int = 1
    tried: frozenset[str] = frozenset()
    moves: int = 0

    def singles(self, items: Sequence[Item], attempts: int, tried: str = "") -> list[Task]:
        """Return a task for each of the items."""
        workers = self.tried | {tried} if tried else self.tried
        return [Task(self.work, [item], attempts, workers) for item in items]

    def counted(self, found: T) -> T | Failed:
        """Return a failure with the number of attempts; anything else as it is."""
        if isinstance(found, Failed):
            return replace(found, failure=replace(found.failure, attempts=self.attempts))
        return found


class KilledWorker(Protocol):
    """The error of a task that kills workers: the used part of `distributed.KilledWorker`."""

    last_worker: WorkerState
    allowed_failures: int


class WorkerState(Protocol):
    """A worker as the scheduler knows it."""

    address: str


def file_of(item: Item) -> str:
    """Return the file of an item."""
    return (item if isinstance(item, Partition) else item[1]).file


def number_of(item: Item) -> int:
    """Return the number of the range that an item is or belongs to."""
    return item.index if isinstance(item, Partition) else item[0]


def killed(item: Item, attempts: int, error: KilledWorker) -> Failed:
    """Return the failure of an item that kills the workers which read it."""
    file = file_of(item)
    tree, start, stop = (
        (item.tree, item.start, item.stop) if isinstance(item, Partition) else (None, None, None)
    )
    tries = attempts * (error.allowed_failures + 1)
    address = error.last_worker.address
    failure = Failure(file, tree, start, stop, KILLED, "KilledWorker", tries, address)
    return Failed(failure, RunError(f"{file}: {KILLED}"))
