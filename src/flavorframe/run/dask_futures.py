"""Dask's futures: what is under way, and what comes back whatever happens to workers."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, wait
from typing import Any, Generic, TypeVar

from flavorframe.run import interrupts

T = TypeVar("T")

WAIT_SECONDS = 0.5
"""How long to wait for a future before looking around."""


class SchedulerLostError(Exception):
    """The scheduler is gone, and with it everything that was under way."""


class Futures(Generic[T]):
    """Futures under way, each with what it was submitted for."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name
        self._under_way: dict[Any, T] = {}
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.submitted = 0

    def __len__(self) -> int:
        return len(self._under_way)

    def submit(
        self, work: Callable[..., Any], items: Sequence[Any], goals: Sequence[T], priority: float
    ) -> None:
        """Submit work on each of the items."""
        if not items:
            return
        keys = [(f"{work.__name__}-{self._name}", self.submitted + i) for i in range(len(items))]
        self.submitted += len(items)
        futures = self._client.map(
            work, items, run=self._name, key=keys, priority=priority, pure=False
        )
        for future, goal in zip(futures, goals, strict=True):
            self._under_way[future] = goal
            future.add_done_callback(self._done.put)

    def completed(self) -> Iterator[tuple[T, Any]]:
        """Yield goals with what came of them, an exception where that was raised.

        Waits a little where nothing has completed. Raises SchedulerLostError.
        """
        done = [future for future in self._next() if future in self._under_way]
        results = self._results([future for future in done if future.status == "finished"])
        for future in done:
            if future in results:
                yield self._under_way.pop(future), results[future]
            elif future.status == "error":
                error = future.exception().with_traceback(future.traceback())
                yield self._under_way.pop(future), error
            elif future.status == "cancelled":
                raise SchedulerLostError
            else:  # its worker died before the result was fetched: it is computed again
                future.add_done_callback(self._done.put)

    def cancel(self) -> None:
        """Drop what is under way."""
        futures, self._under_way = list(self._under_way), {}
        if futures and self._client.status == "running":
            with contextlib.suppress(OSError, TimeoutError):
                self._client.cancel(futures, force=True)

    def _next(self) -> list[Any]:
        try:
            with interrupts.waiting():
                done = [self._done.get(timeout=WAIT_SECONDS)]
        except queue.Empty:
            return []
        while not self._done.empty():
            done.append(self._done.get())
        return done

    def _results(self, futures: list[Any]) -> dict[Any, Any]:
        """Return what can be fetched: all at once, or each by itself where some are lost."""
        results = self._fetched(futures)
        if results is None:
            singles = ((future, self._fetched([future])) for future in futures)
            return {future: single[0] for future, single in singles if single is not None}
        return dict(zip(futures, results, strict=True))

    def _fetched(self, futures: list[Any]) -> list[Any] | None:
        """Return the results, or ``None`` where some are lost; wait for no dead scheduler."""
        client = self._client
        coming = asyncio.run_coroutine_threadsafe(
            client.gather(futures, errors="skip", asynchronous=True), client.loop.asyncio_loop
        )
        while not _has_come(coming):
            if client.status != "running":
                coming.cancel()
                return None
        try:
            results: list[Any] = coming.result()
        except (OSError, TimeoutError, CancelledError):
            return None
        return results if len(results) == len(futures) else None


def _has_come(coming: Future[Any]) -> bool:
    with interrupts.waiting():
        return bool(wait([coming], timeout=WAIT_SECONDS).done)
