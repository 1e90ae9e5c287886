"""Submits the tasks of a run, takes their results, and tries again what failed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from distributed import KilledWorker as KilledWorkerError

from flavorframe._files.remote.access import is_remote
from flavorframe._run.core.accumulator import Accumulator
from flavorframe._run.core.attempts import Failed, is_transient
from flavorframe._run.core.options import RunOptions
from flavorframe._run.dask.cluster import last_seen, threads_of
from flavorframe._run.dask.futures import Futures, SchedulerLostError
from flavorframe._run.dask.protocols import DaskClient
from flavorframe._run.dask.schedule import Schedule
from flavorframe._run.dask.tasks import Item, KilledWorker, Task, file_of, killed, number_of
from flavorframe._run.dask.worker_tasks import Evaluated, Opened, evaluate_parts, open_files
from flavorframe._run.dask.workers import Workers
from flavorframe.datasets import Partition
from flavorframe.engines import FileInfo
from flavorframe.errors import FileError
from flavorframe.result import Timing

FATAL = 5
"""Number of partitions that kill workers, after which a run that has read nothing ends."""
TRIES = 3
"""Number of workers that try to read a partition before it is a failure."""
MOVES = 2
"""How often a task is moved away from workers that hang: the task may be the reason."""
HEAR_SECONDS = 5.0
"""Seconds between two questions to the scheduler when it last heard of each worker."""
OPEN, EVALUATE = open_files.__name__, evaluate_parts.__name__


class TaskManager:
    """Submits tasks as others complete, and gives their results to the accumulator."""

    def __init__(
        self,
        client: DaskClient,
        run: str,
        workers: Workers,
        accumulator: Accumulator,
        options: RunOptions,
    ) -> None:
        self._client = client
        self._workers = workers
        self._address = client.scheduler.address
        self._accumulator = accumulator
        self._options = options
        self._retries = options.retries
        self._schedule = Schedule(accumulator.work, options.partition_size)
        self._futures: Futures[Task] = Futures(client, run, self._find_hung)
        self._later: list[tuple[float, Task]] = []
        self._suspects: list[Task] = []
        self._killed = 0
        self._looked = 0.0
        self._heard = 0.0
        self.threads = 0
        self.worker_times: dict[str, Timing] = {}
        self._spans: dict[str, tuple[float, float]] = {}
        self._found: dict[int, FileInfo | Failed] = {}
        self._noted = 0

    def run(self) -> None:
        """Submit tasks and take their results until everything is done, or the run is stopped."""
        while not self._accumulator.stopped:
            self._update_workers()
            self._submit()
            if not (self._futures or self._later):
                return
            try:
                for task, found in self._futures.completed():
                    self._take(task, found)
            except SchedulerLostError:
                self._note_scheduler_lost()
            self._accumulator.update()

    def _note_scheduler_lost(self) -> None:
        if self._options.should_stop is not None:
            self._options.should_stop()  # it raises where the run is no longer wanted
        self._accumulator.stop(f"the scheduler {self._address} was lost")

    def cancel(self) -> None:
        """Cancel all tasks."""
        self._futures.cancel()

    def _update_workers(self) -> None:
        """Ask about once a second which workers are present: they come and go, and some hang."""
        now = time.monotonic()
        if self._client.status != "running" or (self.threads and now - self._looked < 1):
            return
        self._looked = now
        with contextlib.suppress(OSError):  # a lost scheduler shows in the futures
            threads = threads_of(self._client)
            self._workers.set_present(threads)
            self._workers.require_one()
            self._note_threads(sum(threads.values()))
            self._send(self._futures.stranded(threads), priority=1)
            self._find_hung()

    def _note_threads(self, threads: int) -> None:
        self.threads = max(self.threads, threads)
        self._schedule.threads = max(threads, 1)
        waiting = "" if threads else " (waiting for workers)"
        self._accumulator.progress.say(f"dashboard: {self._client.dashboard_link}{waiting}")

    def _find_hung(self) -> bool:
        """Move tasks from workers that hang to others; return whether more hang than before."""
        now = time.monotonic()
        if self._client.status != "running" or now - self._heard < HEAR_SECONDS:
            return False
        self._heard, before = now, self._workers.hung
        with contextlib.suppress(OSError, TimeoutError):  # asked again later
            self._workers.note_last_seen(last_seen(self._client), now)
            if self._workers.hung:
                at = self._futures.on_workers(self._workers.hung, lambda task: task.moves < MOVES)
                self._send([replace(task, moves=task.moves + 1) for task in at], priority=1)
        return not self._workers.hung <= before

    # submitting

    def _submit(self) -> None:
        self._send([Task(OPEN, batch) for batch in self._schedule.to_open()], priority=1)
        batches = self._schedule.to_evaluate(len(self._futures))
        # In the order of the data, also where a task submits: Dask itself would mix the calls.
        in_order = -float(self._futures.submitted)
        self._send([Task(EVALUATE, batch) for batch in batches], in_order)
        self._send(list(self._due()), priority=1)
        if self._suspects and not (self._futures or self._later):
            # Alone, so that no other task is lost with it.
            self._send([self._suspects.pop()], priority=1)

    def _send(self, tasks: Iterable[Task], priority: float) -> None:
        alike: dict[tuple[str, tuple[str, ...] | None], list[Task]] = {}
        for task in tasks:
            alike.setdefault((task.work, self._workers.choice(task.tried)), []).append(task)
        for (work, workers), some in alike.items():
            if workers == ():  # there is none that may
                self._wait(some, 1)
            else:
                self._futures.submit(work, [task.items for task in some], some, priority, workers)

    def _due(self) -> Iterator[Task]:
        """Take the tasks that have waited long enough for another attempt."""
        now = time.monotonic()
        due, self._later = (
            [entry for entry in self._later if entry[0] <= now],
            [entry for entry in self._later if entry[0] > now],
        )
        return (task for _, task in due)

    def _wait(self, tasks: list[Task], seconds: float) -> None:
        when = time.monotonic() + seconds
        self._later += [(when, task) for task in tasks]

    def _again(self, task: Task, items: Sequence[Item], worker: str) -> None:
        """Try items again, each in a task of its own, on other workers if there are any.

        Remote files are tried after 1 s, then 2 s, 3 s ....
        """
        for single in task.singles(items, task.attempts + 1, worker):
            (item,) = single.items
            self._wait([single], task.attempts if is_remote(file_of(item)) else 0)

    # taking results

    def _take(self, task: Task, found: Any) -> None:
        if isinstance(found, KilledWorkerError):
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
        """Give a task to other workers, where one is refused or has no plugin yet."""
        if reason:
            self._workers.refuse(worker, reason)
            self._workers.require_one()
        self._wait([task], 0 if reason else 1)

    def _take_opened(self, task: Task, opened: Opened) -> None:
        again = []
        for item, found in zip(task.items, opened.found, strict=True):
            if self._is_tried_again(task, item, found, opened.worker):
                again.append(item)
            else:
                self._note_opened(number_of(item), task.counted(found))
        self._again(task, again, opened.worker)

    def _note_opened(self, index: int, found: FileInfo | Failed) -> None:
        """Note opened files in the order of the data: the first decides what names mean."""
        self._found[index] = found
        while self._noted in self._found:
            info = self._accumulator.opened(self._noted, self._found.pop(self._noted))
            self._schedule.opened(self._noted, info)
            self._noted += 1

    def _take_evaluated(self, task: Task, evaluated: Evaluated) -> None:
        self._note_worker(evaluated)
        self._schedule.took(len(task.items), evaluated.ended - evaluated.began)
        worker = evaluated.worker
        again, rows = [], []
        for each in evaluated.rows:
            if self._is_tried_again(task, each.part, each.found, worker):
                again.append(each.part)
            else:
                rows.append(replace(each, found=task.counted(each.found)))
        self._accumulator.add_many(rows, evaluated.partial)
        self._again(task, again, worker)

    def _is_tried_again(self, task: Task, item: Item, found: object, worker: str) -> bool:
        """Whether another attempt is made: later, or on a worker that has not tried."""
        file = file_of(item)
        if not isinstance(found, Failed):
            self._workers.read(worker, task.tried, file, remote=is_remote(file))
            return False
        if is_transient(found):
            return task.attempts <= self._retries
        elsewhere = self._workers.others(task.tried | {worker}) and len(task.tried) + 1 < TRIES
        return isinstance(found.error, FileError) and elsewhere

    def _suspect(self, task: Task, error: KilledWorker) -> None:
        """Try each item of a task that killed workers alone, to find the one that does."""
        if len(task.items) > 1:
            self._send(task.singles(task.items, task.attempts), priority=1)
        elif task.attempts <= min(self._retries, 1):
            self._suspects.append(replace(task, attempts=task.attempts + 1))
        else:
            self._give_up(task, error)

    def _give_up(self, task: Task, error: KilledWorker) -> None:
        self._killed += 1
        (item,) = task.items
        failed = killed(item, task.attempts, error)
        if self._killed >= FATAL and not self._accumulator.events:
            raise failed.error
        if isinstance(item, Partition):
            self._accumulator.add(item, failed)
        else:
            self._note_opened(number_of(item), failed)

    def _note_worker(self, result: Evaluated) -> None:
        """Note from when to when a worker was busy."""
        began, ended = self._spans.get(result.worker, (result.began, result.ended))
        span = (min(began, result.began), max(ended, result.ended))
        self._spans[result.worker] = span
        self.worker_times[result.worker] = Timing(wall=span[1] - span[0], threads=result.threads)
