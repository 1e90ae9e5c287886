"""Threads that take work and give it back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Pool(ThreadPoolExecutor):
    """A pool that drops what is waiting when the run is interrupted."""

    def __exit__(self, *error: object) -> bool | None:
        self.shutdown(wait=True, cancel_futures=error[0] is not None)
        return None


def ordered(
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
