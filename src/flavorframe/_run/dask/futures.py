"""Dask's futures: tasks that were submitted, and their results even where workers die or hang."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import queue
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import CancelledError, Future, wait
from functools import partial
from typing import Any, Generic, TypeVar

from flavorframe._run.core import interrupts
from flavorframe._run.dask.cluster import ask
from flavorframe._run.dask.protocols import DaskClient, DaskFuture
from flavorframe._run.dask.worker_plugin import TASK

T = TypeVar("T")

WAIT_SECONDS = 0.5
"""How long to wait for a result before asking how the workers are."""


class SchedulerLostError(Exception):
    """The scheduler is gone, and with it everything that was submitted."""


class Futures(Generic[T]):
    """Futures that have not completed, each with the task that it was submitted for.

    ``hangs`` is called while results are fetched; it returns whether more workers hang.
    """

    def __init__(self, client: DaskClient, name: str, hangs: Callable[[], bool]) -> None:
        self._client = client
        self._name = name
        self._hangs = hangs
        self._under_way: dict[DaskFuture, T] = {}
        self._choices: dict[DaskFuture, Collection[str]] = {}
        self._done: queue.SimpleQueue[DaskFuture] = queue.SimpleQueue()
        self.submitted = 0

    def __len__(self) -> int:
        return len(self._under_way)

    def submit(
        self,
        work: str,
        items: Sequence[Any],
        tasks: Sequence[T],
        priority: float,
        workers: Collection[str] | None = None,
    ) -> None:
        """Submit work on the items of each task, to any worker or to the ``workers`` given."""
        keys = [(f"{work}-{self._name}", self.submitted + i) for i in range(len(items))]
        self.submitted += len(items)
        arguments = [
            {"run": self._name, "work": work, "items": pickle.dumps(item)} for item in items
        ]
        some = None if workers is None else list(workers)
        futures = self._client.map(
            partial(eval, TASK), arguments, key=keys, priority=priority, pure=False, workers=some
        )
        for future, task in zip(futures, tasks, strict=True):
            self._under_way[future] = task
            if workers is not None:
                self._choices[future] = workers
            future.add_done_callback(self._done.put)

    def stranded(self, here: Collection[str]) -> list[T]:
        """Cancel and return tasks that may only go to workers which have left."""
        return self._take_back(
            [f for f, choice in self._choices.items() if not any(w in here for w in choice)]
        )

    def on_workers(self, workers: Collection[str], may: Callable[[T], bool]) -> list[T]:
        """Cancel and return tasks that some workers compute or hold, where ``may`` allows it."""
        addresses = list(workers)
        known = [
            ask(self._client, question, workers=addresses)
            for question in (self._client.scheduler.processing, self._client.scheduler.has_what)
        ]
        keys = {key for by_worker in known for found in by_worker.values() for key in found}
        found = [f for f, task in self._under_way.items() if f.key in keys and may(task)]
        return self._take_back(found)

    def _take_back(self, futures: list[DaskFuture]) -> list[T]:
        tasks = [self._forget(future) for future in futures]
        if futures:
            self._client.cancel(futures, force=True)
        return tasks

    def _forget(self, future: DaskFuture) -> T:
        self._choices.pop(future, None)
        return self._under_way.pop(future)

    def completed(self) -> Iterator[tuple[T, Any]]:
        """Yield each completed task with its result, or the exception that it raised.

        Waits at most `WAIT_SECONDS` for the first. Raises SchedulerLostError.
        """
        done = [future for future in self._next() if future in self._under_way]
        results = self._results([future for future in done if future.status == "finished"])
        for future in done:
            if future not in self._under_way:
                continue  # it was taken back in the meantime
            if future in results:
                yield self._forget(future), results[future]
            elif future.status == "error":
                error = future.exception().with_traceback(future.traceback())
                yield self._forget(future), error
            elif future.status == "cancelled":
                raise SchedulerLostError
            else:  # its worker died before the result was fetched: it is computed again
                future.add_done_callback(self._done.put)

    def cancel(self) -> None:
        """Cancel all tasks."""
        futures, self._under_way = list(self._under_way), {}
        self._choices.clear()
        if futures and self._client.status == "running":
            with contextlib.suppress(OSError, TimeoutError):
                self._client.cancel(futures, force=True)

    def _next(self) -> list[DaskFuture]:
        try:
            with interrupts.allowed():
                done = [self._done.get(timeout=WAIT_SECONDS)]
        except queue.Empty:
            return []
        while not self._done.empty():
            done.append(self._done.get())
        return done

    def _results(self, futures: list[DaskFuture]) -> dict[DaskFuture, Any]:
        """Fetch the results: all at once, or one by one where some are lost."""
        results = self._fetched(futures)
        if results is None:
            singles = (
                (future, self._fetched([future])) for future in futures if future in self._under_way
            )
            return {future: single[0] for future, single in singles if single is not None}
        return dict(zip(futures, results, strict=True))

    def _fetched(self, futures: list[DaskFuture]) -> list[Any] | None:
        """Return the results, or ``None`` where some may be lost or the scheduler is dead."""
        client = self._client
        coming = asyncio.run_coroutine_threadsafe(
            client.gather(futures, errors="skip", asynchronous=True), client.loop.asyncio_loop
        )
        while not _has_come(coming):
            if client.status != "running" or self._hangs():
                coming.cancel()
                return None
        try:
            results: list[Any] = coming.result()
        except (OSError, TimeoutError, CancelledError):
            return None
        return results if len(results) == len(futures) else None


def _has_come(coming: Future[Any]) -> bool:
    with interrupts.allowed():
        return bool(wait([coming], timeout=WAIT_SECONDS).done)
