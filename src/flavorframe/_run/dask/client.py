"""The client's side of a run on Dask: what is submitted next, and what is done with results."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from distributed import KilledWorker

from flavorframe._files.remote.access import is_remote
from flavorframe._run.core.attempts import Failed, may_pass
from flavorframe._run.core.gathering import Gathering
from flavorframe._run.core.options import RunOptions
from flavorframe._run.dask.cluster import last_seen, threads_of
from flavorframe._run.dask.crew import Crew
from flavorframe._run.dask.futures import Futures, SchedulerLostError
from flavorframe._run.dask.schedule import Schedule
from flavorframe._run.dask.worker import Evaluated, Opened, evaluate_parts, open_files
from flavorframe.datasets import Partition
from flavorframe.errors import FileError, RunError
from flavorframe.result import Failure, Timing

FATAL = 5
"""So many partitions that kill workers, and nothing that was read, end the run."""
TRIES = 3
"""So many workers try what cannot be read before it is a failure."""
MOVES = 2
"""How often work is taken from workers that hang: it may be the work that makes them."""
HEAR_SECONDS = 5.0
"""How often the scheduler is asked which workers it hears of."""
OPEN, EVALUATE = open_files.__name__, evaluate_parts.__name__
KILLED = "the workers that read it were killed: out of memory, or a crash; their logs tell."


@dataclass(frozen=True)
class Task:
    """Segments to open, given with their numbers, or partitions to evaluate.

    ``tried`` are the workers that could not read them, ``moves`` is how often it was taken from
    workers that hung.
    """

    work: str
    items: list[Any]
    attempts: int = 1
    tried: frozenset[str] = frozenset()
    moves: int = 0

    def singles(self, items: Sequence[Any], attempts: int, tried: str = "") -> list[Task]:
        """Return a task for each of the items."""
        workers = self.tried | {tried} if tried else self.tried
        return [Task(self.work, [item], attempts, workers) for item in items]


class Work:
    """Submits tasks as others come back, tries again what may pass, and feeds the gathering."""

    def __init__(
        self, client: Any, run: str, crew: Crew, gathering: Gathering, options: RunOptions
    ) -> None:
        self._client = client
        self._crew = crew
        self._address = client.scheduler.address
        self._gathering = gathering
        self._options = options
        self._retries = options.retries
        self._schedule = Schedule(gathering.work, options.partition_size)
        self._futures: Futures[Task] = Futures(client, run, self._find_hung)
        self._later: list[tuple[float, Task]] = []
        self._suspects: list[Task] = []
        self._killed = 0
        self._looked = 0.0
        self._heard = 0.0
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
                self._lose()
            self._gathering.tell()

    def _lose(self) -> None:
        if self._options.should_stop is not None:
            self._options.should_stop()  # which may know that nobody wants what there is
        self._gathering.stop(f"the scheduler {self._address} was lost")

    def cancel(self) -> None:
        """Drop what is under way."""
        self._futures.cancel()

    def _look_around(self) -> None:
        """See who is there, once in a while: workers come and go, and some hang."""
        now = time.monotonic()
        if self._client.status != "running" or (self.threads and now - self._looked < 1):
            return  # a lost scheduler shows in the futures
        self._looked = now
        with contextlib.suppress(OSError):  # next time
            threads = threads_of(self._client)
            self._crew.see(threads)
            self._crew.require_one()
            self._note_threads(sum(threads.values()))
            self._send(self._futures.stranded(threads), priority=1)
            self._find_hung()

    def _note_threads(self, threads: int) -> None:
        self.threads = max(self.threads, threads)
        self._schedule.threads = max(threads, 1)
        waiting = "" if threads else " (waiting for workers)"
        self._gathering.progress.say(f"dashboard: {self._client.dashboard_link}{waiting}")

    def _find_hung(self) -> bool:
        """Give to others what workers are at that hang; return whether there are more of these."""
        now = time.monotonic()
        if self._client.status != "running" or now - self._heard < HEAR_SECONDS:
            return False
        self._heard, before = now, self._crew.hung
        with contextlib.suppress(OSError, TimeoutError):  # next time
            self._crew.hear(last_seen(self._client), now)
            if self._crew.hung:
                at = self._futures.at(self._crew.hung, lambda task: task.moves < MOVES)
                self._send([replace(task, moves=task.moves + 1) for task in at], priority=1)
        return not self._crew.hung <= before

    # submitting

    def _submit(self) -> None:
        self._send([Task(OPEN, batch) for batch in self._schedule.to_open()], priority=1)
        batches = self._schedule.to_evaluate(len(self._futures))
        # In the order of the data, also where a task submits: Dask itself would mix the calls.
        in_order = -float(self._futures.submitted)
        self._send([Task(EVALUATE, batch) for batch in batches], in_order)
        self._send(list(self._due()), priority=1)
        if self._suspects and not (self._futures or self._later):
            self._send([self._suspects.pop()], priority=1)  # alone, so that none dies for another

    def _send(self, tasks: Iterable[Task], priority: float) -> None:
        alike: dict[tuple[str, tuple[str, ...] | None], list[Task]] = {}
        for task in tasks:
            alike.setdefault((task.work, self._crew.choice(task.tried)), []).append(task)
        for (work, workers), some in alike.items():
            if workers == ():  # nobody is there who may
                self._wait(some, 1)
            else:
                self._futures.submit(work, [task.items for task in some], some, priority, workers)

    def _due(self) -> Iterator[Task]:
        """Take what waited long enough for another attempt."""
        now = time.monotonic()
        due, self._later = (
            [entry for entry in self._later if entry[0] <= now],
            [entry for entry in self._later if entry[0] > now],
        )
        return (task for _, task in due)

    def _wait(self, tasks: list[Task], seconds: float) -> None:
        when = time.monotonic() + seconds
        self._later += [(when, task) for task in tasks]

    def _again(self, task: Task, items: Sequence[Any], worker: str) -> None:
        """Try items again, each by itself, on other workers where there are some.

        What may pass is tried after a second, then two, three ....
        """
        for single in task.singles(items, task.attempts + 1, worker):
            (item,) = single.items
            self._wait([single], task.attempts if is_remote(_file(item)) else 0)

    # gathering

    def _take(self, task: Task, found: Any) -> None:
        if isinstance(found, KilledWorker):
            self._suspect(task, found)
        elif isinstance(found, BaseException):
            raise found
        elif isinstance(found, Opened):
            self._take_opened(task, found)
        elif isinstance(found, Evaluated):
            self._take_evaluated(task, found)
        else:
            self._take_refused(task, *found[1:])

    def _take_refused(self, task: Task, worker: str, reason: str) -> None:
        """Give to others what a worker may not do, or cannot do yet."""
        if reason:
            self._crew.refuse(worker, reason)
            self._crew.require_one()
        self._wait([task], 0 if reason else 1)

    def _take_opened(self, task: Task, opened: Opened) -> None:
        again = []
        for item, found in zip(task.items, opened.found, strict=True):
            if self._is_tried_again(task, item, found, opened.worker):
                again.append(item)
            else:
                index, _ = item
                self._note_opened(index, _counted(found, task))
        self._again(task, again, opened.worker)

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
        worker = evaluated.worker
        again = [piece.part for piece in evaluated.pieces
                 if self._is_tried_again(task, piece.part, piece.found, worker)]  # fmt: skip
        pieces = [replace(piece, found=_counted(piece.found, task)) for piece in evaluated.pieces
                  if piece.part not in again]  # fmt: skip
        self._gathering.add_pieces(pieces, evaluated.partial)
        self._again(task, again, worker)

    def _is_tried_again(self, task: Task, item: Any, found: Any, worker: str) -> bool:
        """Whether another attempt may succeed: later, or on a worker that has not tried."""
        file = _file(item)
        if not isinstance(found, Failed):
            self._crew.read(worker, task.tried, file, remote=is_remote(file))
            return False
        if may_pass(found):
            return task.attempts <= self._retries
        elsewhere = self._crew.others(task.tried | {worker}) and len(task.tried) + 1 < TRIES
        return isinstance(found.error, FileError) and elsewhere

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


def _file(item: Any) -> str:
    """Return the file of a partition, or of a segment with its number."""
    return str((item if isinstance(item, Partition) else item[1]).file)


def _killed(item: Any, attempts: int, worker: Any) -> Failed:
    """Return the failure of a partition, or of a segment with its number, that workers died of."""
    if isinstance(item, Partition):
        file, tree, start, stop = item.file, item.tree, item.start, item.stop
    else:
        file, tree, start, stop = item[1].file, None, None, None
    failure = Failure(file, tree, start, stop, KILLED, "KilledWorker", attempts, worker.address)
    return Failed(failure, RunError(f"{file}: {KILLED}"))
