"""Threads of this process, and their results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from flavorframe._run.core import interrupts

T = TypeVar("T")
R = TypeVar("R")


SHUTDOWN_SECONDS = 5.0
"""Seconds to wait for work under way after an interrupt; threads that hang are left alone."""


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Pool(ThreadPoolExecutor):
    """A pool that drops work which has not begun when its block raises."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._under_way: set[Future[Any]] = set()

    def submit(self, work: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Have a thread do some work."""
        future = super().submit(work, *args, **kwargs)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    def __exit__(self, *error: object) -> bool | None:
        failed = error[0] is not None
        self.shutdown(wait=False, cancel_futures=failed)
        with interrupts.allowed():
            wait(list(self._under_way), timeout=SHUTDOWN_SECONDS if failed else None)
        return None


def ordered(
    pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], window: int
) -> Iterator[R]:
    """Yield work(item) in the order of the items, with at most ``window`` under way."""
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= window:
            yield _result(waiting.popleft())
    while waiting:
        yield _result(waiting.popleft())


def _result(future: Future[R]) -> R:
    with interrupts.allowed():
        return future.result()
