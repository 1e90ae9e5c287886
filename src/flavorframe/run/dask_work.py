"""The client's side of a run on Dask: what is submitted next, and what is done with results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from distributed import KilledWorker

from flavorframe.datasets import Partition
from flavorframe.errors import RunError
from flavorframe.result import Failure, Timing
from flavorframe.run.attempts import Failed, may_pass
from flavorframe.run.dask_cluster import count_threads
from flavorframe.run.dask_futures import Futures, SchedulerLostError
from flavorframe.run.dask_worker import Evaluated, evaluate_parts, open_files
from flavorframe.run.executor import RunOptions
from flavorframe.run.gathering import Gathering
from flavorframe.run.schedule import Schedule

FATAL = 5
"""So many partitions that kill workers, and nothing that was read, end the run."""
KILLED = "the workers that read it were killed: out of memory, or a crash; their logs tell."


@dataclass(frozen=True)
class Task:
    """Segments to open, given with their numbers, or partitions to evaluate."""

    work: Callable[..., Any]
    items: list[Any]
    attempts: int = 1

    def singles(self, items: Sequence[Any], attempts: int) -> list[Task]:
        """Return a task for each of the items."""
        return [Task(self.work, [item], attempts) for item in items]


class Work:
    """Submits tasks as others come back, tries again what may pass, and feeds the gathering."""

    def __init__(self, client: Any, run: str, gathering: Gathering, options: RunOptions) -> None:
        self._client = client
        self._address = client.scheduler.address
        self._gathering = gathering
        self._retries = options.retries
        self._schedule = Schedule(gathering.work, options.partition_size)
        self._futures: Futures[Task] = Futures(client, run)
        self._later: list[tuple[float, Task]] = []
        self._suspects: list[Task] = []
        self._killed = 0
        self._looked = 0.0
        self.threads = 0
        self.workers: dict[str, Timing] = {}
        self._spans: dict[str, tuple[float, float]] = {}
        self._found: dict[int, Any] = {}
        self._noted = 0

    def do(self) -> None:
        """Submit and gather until everything is done, or the run is stopped."""
        while not self._gathering.stopped:
            self._look_around()
            self._submit()
            if not (self._futures or self._later):
                return
            try:
                for task, found in self._futures.completed():
                    self._take(task, found)
            except SchedulerLostError:
                self._gathering.stop(f"the scheduler {self._address} was lost")
            self._gathering.tell()

    def cancel(self) -> None:
        """Drop what is under way."""
        self._futures.cancel()

    def _look_around(self) -> None:
        """Count the threads, once in a while: workers come and go."""
        now = time.monotonic()
        if self._client.status != "running" or (self.threads and now - self._looked < 1):
            return  # a lost scheduler shows in the futures
        self._looked = now
        try:
            threads = count_threads(self._client)
        except OSError:
            return
        self.threads = max(self.threads, threads)
        self._schedule.threads = max(threads, 1)
        waiting = "" if threads else " (waiting for workers)"
        self._gathering.progress.say(f"dashboard: {self._client.dashboard_link}{waiting}")

    # submitting

    def _submit(self) -> None:
        self._send([Task(open_files, batch) for batch in self._schedule.to_open()], priority=1)
        batches = self._schedule.to_evaluate(len(self._futures))
        # In the order of the data, also where a task submits: Dask itself would mix the calls.
        in_order = -float(self._futures.submitted)
        self._send([Task(evaluate_parts, batch) for batch in batches], in_order)
        self._send(list(self._due()), priority=1)
        if self._suspects and not (self._futures or self._later):
            self._send([self._suspects.pop()], priority=1)  # alone, so that none dies for another

    def _send(self, tasks: list[Task], priority: float) -> None:
        for work in (open_files, evaluate_parts):
            some = [task for task in tasks if task.work is work]
            self._futures.submit(work, [task.items for task in some], some, priority)

    def _due(self) -> Iterator[Task]:
        """Take what waited long enough for another attempt."""
        now = time.monotonic()
        due, self._later = (
            [entry for entry in self._later if entry[0] <= now],
            [entry for entry in self._later if entry[0] > now],
        )
        return (task for _, task in due)

    def _again(self, task: Task, items: Sequence[Any]) -> None:
        """Try items again, each by itself: after a second, then two, three ...."""
        when = time.monotonic() + task.attempts
        self._later += [(when, single) for single in task.singles(items, task.attempts + 1)]

    # gathering

    def _take(self, task: Task, found: Any) -> None:
        if isinstance(found, KilledWorker):
            self._suspect(task, found)
        elif isinstance(found, BaseException):
            raise found
        elif task.work is open_files:
            self._take_opened(task, found)
        else:
            self._take_evaluated(task, found)

    def _take_opened(self, task: Task, opened: list[Any]) -> None:
        again = [item for item, found in zip(task.items, opened, strict=True)
                 if self._may_pass(task, found)]  # fmt: skip
        for item, found in zip(task.items, opened, strict=True):
            if item not in again:
                index, _ = item
                self._note_opened(index, _counted(found, task))
        self._again(task, again)

    def _note_opened(self, index: int, found: Any) -> None:
        """Note what opening a segment gave, in the order of the data: the first decides."""
        self._found[index] = found
        while self._noted in self._found:
            info = self._gathering.opened(self._noted, self._found.pop(self._noted))
            self._schedule.opened(self._noted, info)
            self._noted += 1

    def _take_evaluated(self, task: Task, evaluated: Evaluated) -> None:
        self._note_worker(evaluated)
        self._schedule.took(len(task.items), evaluated.ended - evaluated.began)
        again = [p.part for p in evaluated.pieces if self._may_pass(task, p.found)]
        pieces = [replace(piece, found=_counted(piece.found, task)) for piece in evaluated.pieces
                  if piece.part not in again]  # fmt: skip
        self._gathering.add_pieces(pieces, evaluated.partial)
        self._again(task, again)

    def _may_pass(self, task: Task, found: Any) -> bool:
        return isinstance(found, Failed) and may_pass(found) and task.attempts <= self._retries

    def _suspect(self, task: Task, killed: Any) -> None:
        """Try what workers died of alone, for it may have died with something else."""
        if len(task.items) > 1:
            self._send(task.singles(task.items, task.attempts), priority=1)
        elif task.attempts <= min(self._retries, 1):
            self._suspects.append(replace(task, attempts=task.attempts + 1))
        else:
            self._give_up(task, killed)

    def _give_up(self, task: Task, killed: Any) -> None:
        self._killed += 1
        (item,) = task.items
        failed = _killed(item, task.attempts * (killed.allowed_failures + 1), killed.last_worker)
        if self._killed >= FATAL and not self._gathering.events:
            raise failed.error
        if isinstance(item, Partition):
            self._gathering.add(item, failed)
        else:
            index, _ = item
            self._note_opened(index, failed)

    def _note_worker(self, result: Evaluated) -> None:
        """Note from when to when a worker was at it."""
        began, ended = self._spans.get(result.worker, (result.began, result.ended))
        span = (min(began, result.began), max(ended, result.ended))
        self._spans[result.worker] = span
        self.workers[result.worker] = Timing(wall=span[1] - span[0], threads=result.threads)


def _counted(found: Any, task: Task) -> Any:
    """Return a failure with the number of attempts; anything else as it is."""
    if isinstance(found, Failed):
        return replace(found, failure=replace(found.failure, attempts=task.attempts))
    return found


def _killed(item: Any, attempts: int, worker: Any) -> Failed:
    """Return the failure of a partition, or of a segment with its number, that workers died of."""
    if isinstance(item, Partition):
        file, tree, start, stop = item.file, item.tree, item.start, item.stop
    else:
        file, tree, start, stop = item[1].file, None, None, None
    failure = Failure(file, tree, start, stop, KILLED, "KilledWorker", attempts, worker.address)
    return Failed(failure, RunError(f"{file}: {KILLED}"))
