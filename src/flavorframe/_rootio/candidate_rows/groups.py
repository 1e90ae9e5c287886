"""At which rows of a file its events begin: a bit for each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from flavorframe._rootio.arrays import Array

BLOCK = 1 << 16
"""Of so many rows the number of events before them is known; others are counted."""


@dataclass(frozen=True)
class Groups:
    """The rows at which events begin.

    Attributes:
        rows: The number of rows.
        bits: A bit for each row, set where an event begins.
        before: The number of events that begin before each block of rows, and in all of them.
    """

    rows: int
    bits: Array
    before: Array

    @classmethod
    def of(cls, begins: Iterable[Array], rows: int) -> Groups:
        """Return the groups of truth values by row, which come in pieces of whole blocks."""
        pieces = list(map(np.packbits, begins))
        bits = np.concatenate([*pieces, np.zeros(0, np.uint8)])
        counts = [np.count_nonzero(np.unpackbits(block)) for block in _blocks(bits)]
        return cls(rows, bits, np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]))

    @property
    def events(self) -> int:
        """The number of events."""
        return int(self.before[-1])

    def starts(self, first: int, stop: int) -> Array:
        """Return the rows at which the events from ``first`` to ``stop`` begin, that one included.

        The event after the last begins after the last row.
        """
        block = max(int(np.searchsorted(self.before, first, "right")) - 1, 0)
        last = int(np.searchsorted(self.before, stop, "right"))
        some = np.unpackbits(self.bits[block * BLOCK // 8 : last * BLOCK // 8])
        rows = np.flatnonzero(some) + block * BLOCK
        skipped = first - int(self.before[block])
        return np.append(rows, self.rows)[skipped : skipped + stop - first + 1]

    def events_before(self, rows: Array) -> Array:
        """Return how many events begin before each of some rows."""
        return np.array([self._events_before(int(row)) for row in rows], np.int64)

    def _events_before(self, row: int) -> int:
        block = row // BLOCK
        within = np.unpackbits(self.bits[block * BLOCK // 8 : (row + 7) // 8])
        return int(self.before[block]) + int(np.count_nonzero(within[: row - block * BLOCK]))


def _blocks(bits: Array) -> Iterator[Array]:
    for start in range(0, len(bits), BLOCK // 8):
        yield bits[start : start + BLOCK // 8]
