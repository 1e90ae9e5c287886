"""Passes the results of partitions on in the order of the data; they arrive in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flavorframe._run.core.partitions import FileRange
from flavorframe.datasets import Partition

T = TypeVar("T")


@dataclass
class Ordering(Generic[T]):
    """A cursor over the ranges of events that a run reads.

    When the cursor comes to a range, ``enter`` is called with its number. Then ``write`` is called
    with the result of each partition, and ``add_gap`` with file, start and stop of events that were
    not read.
    """

    work: Sequence[FileRange]
    enter: Callable[[int], None]
    write: Callable[[T], None]
    add_gap: Callable[[str, int, int | None], None]
    _index: int = -1
    _start: int = 0
    _stops: dict[int, int | None] = field(default_factory=dict)
    _pending: dict[tuple[int, int], tuple[int, T | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._next()

    def opened(self, index: int, events: int | None) -> None:
        """Note the events of the file of a range; ``None`` where it could not be opened."""
        stop = self.work[index].stop
        self._stops[index] = events if events is None or stop is None else stop
        self._advance()

    def add(self, part: Partition, content: T | None) -> None:
        """Take the result of a partition; ``None`` where it failed."""
        self._pending[part.index, part.start] = (part.stop, content)
        self._advance()

    def end(self) -> None:
        """Pass on the rest; partitions that have not arrived are gaps."""
        while self._index < len(self.work):
            current, stop = self.work[self._index], self._stops.get(self._index)
            for start in sorted(s for i, s in self._pending if i == self._index):
                if start > self._start:
                    self.add_gap(current.file, self._start, start)
                self._start = start
                self._take(current)
            if stop is None or self._start < stop:
                self.add_gap(current.file, self._start, current.stop)
            self._next()

    def _advance(self) -> None:
        while self._index in self._stops:
            current, stop = self.work[self._index], self._stops[self._index]
            if stop is None:
                self.add_gap(current.file, current.start, current.stop)
                self._next()
            elif self._start >= stop:
                self._next()
            elif (self._index, self._start) in self._pending:
                self._take(current)
            else:
                return

    def _take(self, current: FileRange) -> None:
        stop, content = self._pending.pop((self._index, self._start))
        if content is None:
            self.add_gap(current.file, self._start, stop)
        else:
            self.write(content)
        self._start = stop

    def _next(self) -> None:
        self._stops.pop(self._index, None)
        self._index += 1
        if self._index < len(self.work):
            self._start = self.work[self._index].start
            self.enter(self._index)
