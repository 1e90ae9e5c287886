"""Which files to open and which partitions to evaluate next: large partitions first, small last."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence

from flavorframe._run.core.options import PARTITION_SIZE
from flavorframe._run.core.partitions import FileRange, first_stop
from flavorframe.datasets import Partition
from flavorframe.engines import FileInfo

TASK_SECONDS = 0.5
"""Seconds that a task should take: partitions that take less are put together."""
MOST_PARTS = 500
"""The most partitions in a task."""
SMALLEST = PARTITION_SIZE // 4
"""Events of the smallest partitions, at the end of a run: each costs some extra milliseconds."""
FIRST_TASKS = 2
"""Tasks of one partition for each thread, until the time of a partition is known."""
TASKS_PER_THREAD = 30
"""Tasks submitted for each thread: seconds of work, so that adaptive clusters grow."""
FEWEST_TASKS, MOST_TASKS = 100, 4000


class Schedule:
    """Gives the ranges of a run whose files are to be opened, and their partitions, in order.

    ``threads`` is the number of threads of the cluster now. With a ``size`` each partition has so
    many events; without one they shrink towards the end, so that no thread is left with a large
    one.
    """

    def __init__(self, work: Sequence[FileRange], size: int | None) -> None:
        self.threads = 1
        self._work = work
        self._size = size
        self._asked = 0  # ranges whose files are being opened, or have been
        self._opening = 0  # tasks that open
        self._opened: dict[int, FileInfo | None] = {}
        self._index = 0
        self._start = work[0].start if work else 0
        self._events = 0  # of ranges that were opened
        self._cut = 0  # events in partitions
        self._handed_out = 0  # tasks that evaluate
        self._seconds: float | None = None

    @property
    def _window(self) -> int:
        return min(max(TASKS_PER_THREAD * self.threads, FEWEST_TASKS), MOST_TASKS)

    def to_open(self) -> Iterator[list[tuple[int, FileRange]]]:
        """Yield batches of ranges to be opened now."""
        while self._asked < len(self._work) and self._may_open():
            left = len(self._work) - self._asked
            count = min(max(left // (4 * self.threads), 1), 16)
            numbers = range(self._asked, self._asked + count)
            self._asked += count
            self._opening += count
            yield [(i, self._work[i]) for i in numbers]

    def _may_open(self) -> bool:
        return self._opening < 32 * self.threads and len(self._opened) < self._window

    def opened(self, index: int, info: FileInfo | None) -> None:
        """Note the opened file of a range; ``None`` if it could not be opened."""
        self._opening -= 1
        self._opened[index] = info
        if info is not None:
            self._events += _length(self._work[index], info)

    def took(self, partitions: int, seconds: float) -> None:
        """Note how long a task took."""
        each = seconds / partitions
        self._seconds = each if self._seconds is None else 0.8 * self._seconds + 0.2 * each

    def to_evaluate(self, under_way: int) -> Iterator[list[Partition]]:
        """Yield batches of partitions to be evaluated now, with so many tasks under way."""
        for _ in range(self._most_tasks(under_way)):
            batch = list(self._batch())
            if not batch:
                return
            self._handed_out += 1
            yield batch

    def _most_tasks(self, under_way: int) -> int:
        most = self._window - under_way
        if self._seconds is not None:
            return most
        # Where nothing is under way any more, the first killed their workers.
        return min(most, FIRST_TASKS * self.threads - (self._handed_out if under_way else 0))

    def _batch(self) -> Iterator[Partition]:
        for _ in range(self._count()):
            part = self._partition()
            if part is None:
                return
            yield part

    def _count(self) -> int:
        """Return how many partitions make a task of about `TASK_SECONDS`."""
        if self._seconds is None:
            return 1
        by_time = TASK_SECONDS / max(self._seconds, 1e-6)
        size = self._size or PARTITION_SIZE
        by_rest = self._rest() / size / (4 * self.threads)
        return max(1, int(min(by_time, by_rest, MOST_PARTS)))

    def _rest(self) -> float:
        """Estimate how many events are not in partitions yet."""
        known = self._index + len(self._opened)
        mean = self._events / known if known else 0.0
        return self._events - self._cut + mean * (len(self._work) - known)

    def _partition(self) -> Partition | None:
        """Return the next partition, or ``None`` where its file is not open yet, or at the end."""
        while self._index in self._opened:
            file_range, info = self._work[self._index], self._opened[self._index]
            last = 0 if info is None else file_range.stop or info.events
            if info is None or self._start >= last:
                self._advance()
                continue
            stop = self._stop(last, info.edges)
            part = info.partition(self._start, stop, self._index)
            self._cut += stop - self._start
            self._start = stop
            return part
        return None

    def _stop(self, last: int, edges: Sequence[int]) -> int:
        """Return where the next partition ends."""
        if self._size is not None:
            return first_stop(self._start, last, self._size, edges)
        fair = self._rest() / self.threads
        size = min(max(int(fair / 2), SMALLEST), PARTITION_SIZE)
        # A part of a basket takes nearly as long as all of it, so few are cut.
        position = bisect.bisect_right(edges, self._start)
        if position < len(edges) and edges[position] - self._start <= 4 * fair:
            size = max(size, min(edges[position] - self._start, PARTITION_SIZE))
        return first_stop(self._start, last, size, edges)

    def _advance(self) -> None:
        del self._opened[self._index]
        self._index += 1
        if self._index < len(self._work):
            self._start = self._work[self._index].start


def _length(file_range: FileRange, info: FileInfo) -> int:
    return (file_range.stop or info.events) - file_range.start
