"""Run on the cores of this machine: threads take partitions, results add up in order."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from flavorframe.datasets import Dataset, Partition, split
from flavorframe.engine import Engine, FileInfo
from flavorframe.engine.partial import Chunk, Partial
from flavorframe.errors import (
    AnalysisError,
    BranchError,
    FileError,
    FlavorframeError,
    RunError,
)
from flavorframe.outputs import Snapshot
from flavorframe.plan import Plan
from flavorframe.result import Failure, SnapshotWriter
from flavorframe.run.progress import Progress, choose_progress

PARTITION_SIZE = 50_000
"""Events in a partition: few enough that its columns fit in memory many times over."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class Outcome:
    """What a run gathered: the sum of the partials, and what could not be read."""

    partial: Partial
    files: list[FileInfo] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    snapshots: dict[str, SnapshotWriter] = field(default_factory=dict)
    first_error: FlavorframeError | None = None


class LocalExecutor:
    """Evaluates partitions in threads of this process.

    ``threads`` is by default the number of cores, ``partition_size`` the events of a partition,
    and ``progress`` shows a bar: by default where a person is looking on.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        threads: int | None = None,
        partition_size: int | None = None,
        progress: bool | None = None,
    ) -> None:
        """Raises AnalysisError for less than one thread or event."""
        self._engine = engine
        self._threads = _at_least_one("threads", threads or available_cores())
        self._size = _at_least_one("partition_size", partition_size or PARTITION_SIZE)
        self._progress = progress

    def run(self, plan: Plan, dataset: Dataset) -> Outcome:
        """Evaluate the plan on every file of the dataset.

        Files and partitions that cannot be read become failures, and the rest goes on. Raises the
        first failure's error where not one file could be used, and what the plan itself does
        wrong (a function that fails, a correction out of range) at once.
        """
        began = time.perf_counter()
        outcome = Outcome(self._engine.empty(plan))
        with ExitStack() as stack:
            _open_snapshots(plan, outcome, stack)
            pool = stack.enter_context(_Pool(self._threads))
            progress = stack.enter_context(choose_progress(self._progress, dataset.name))
            self._evaluate_all(plan, dataset, pool, progress, outcome)
            _refuse_nothing(dataset, outcome)
        wall = time.perf_counter() - began
        timing = replace(outcome.partial.timing, wall=wall, threads=self._threads)
        outcome.partial = replace(outcome.partial, timing=timing)
        return outcome

    def _evaluate_all(
        self,
        plan: Plan,
        dataset: Dataset,
        pool: ThreadPoolExecutor,
        progress: Progress,
        outcome: Outcome,
    ) -> None:
        def prepare(file: str) -> FileInfo | Failed:
            return _attempt(
                lambda: self._engine.prepare(plan, file, dataset.tree),
                Failure(file, dataset.tree, None, None, "", ""),
            )

        def evaluate(part: Partition) -> Partial | Failed:
            return _attempt(
                lambda: self._engine.evaluate(plan, part),
                Failure(part.file, part.tree, part.start, part.stop, "", ""),
            )

        opened = _ordered(pool, prepare, dataset.files, self._threads)
        partitions = _partitions(opened, outcome, progress, self._size)
        for found in _ordered(pool, evaluate, partitions, 2 * self._threads):
            _gather(found, outcome, progress)
        _complete_snapshots(plan, outcome)


def _at_least_one(name: str, number: int) -> int:
    if number < 1:
        raise AnalysisError(f"{name}={number}: there must be at least one.")
    return number


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Pool(ThreadPoolExecutor):
    """A pool that drops what is waiting when the run is interrupted."""

    def __exit__(self, *error: object) -> bool | None:
        self.shutdown(wait=True, cancel_futures=error[0] is not None)
        return None


def _ordered(
    pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], window: int
) -> Iterator[R]:
    """Yield work(item) in the order of the items, with at most ``window`` under way."""
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= window:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@dataclass(frozen=True)
class Failed:
    """A failure, and the error that tells of it."""

    failure: Failure
    error: FlavorframeError


def _attempt(work: Callable[[], R], failure: Failure) -> R | Failed:
    """Return what the work gives, or the failure with the reason where the data is at fault."""
    try:
        return work()
    except (FileError, BranchError) as error:
        reason = str(error).removeprefix(f"{failure.file}: ")
        return Failed(replace(failure, reason=reason, kind=type(error).__name__), error)


def _partitions(
    opened: Iterable[FileInfo | Failed], outcome: Outcome, progress: Progress, size: int
) -> Iterator[Partition]:
    index = 0
    for found in opened:
        if isinstance(found, Failed):
            _note(found, outcome)
            continue
        outcome.files.append(found)
        progress.expect(found.events)
        for start, stop in split(found.events, size, found.edges):
            yield Partition(found.file, found.tree, start, stop, index)
            index += 1


def _note(failed: Failed, outcome: Outcome) -> None:
    outcome.failures.append(failed.failure)
    outcome.first_error = outcome.first_error or failed.error


def _gather(found: Partial | Failed, outcome: Outcome, progress: Progress) -> None:
    if isinstance(found, Failed):
        _note(found, outcome)
        return
    progress.advance(found.timing)
    kept: dict[str, tuple[Chunk, ...]] = dict(found.tables)
    for name, writer in outcome.snapshots.items():
        for chunk in kept[name]:
            writer.write(chunk)
        kept[name] = ()
    outcome.partial = outcome.partial + replace(found, tables=kept)


def _open_snapshots(plan: Plan, outcome: Outcome, stack: ExitStack) -> None:
    for name, output in plan.outputs:
        if isinstance(output, Snapshot) and output.path is not None:
            writer = SnapshotWriter(output.path, format=output.format, tree=output.tree)
            outcome.snapshots[name] = stack.enter_context(writer)


def _complete_snapshots(plan: Plan, outcome: Outcome) -> None:
    """Give a snapshot its columns where there was no partition to tell them."""
    for name, writer in outcome.snapshots.items():
        output = dict(plan.outputs)[name]
        if isinstance(output, Snapshot) and not writer.has_columns:
            names = output.column_names(weighted=plan.is_weighted)
            writer.write({column: np.zeros(0) for column in names})


def _refuse_nothing(dataset: Dataset, outcome: Outcome) -> None:
    """Raise where every file failed: there is nothing to give back but the reason."""
    error, read = outcome.first_error, outcome.partial.cutflow[0].events
    if error is None or read or any(info.events == 0 for info in outcome.files):
        return
    if isinstance(error, BranchError) or len(dataset.files) == 1:
        raise error  # a misspelt name is most often the same in every file
    raise RunError(
        f"None of the {len(dataset.files)} files of dataset {dataset.name} could be read. "
        f"The first: {error}"
    )
