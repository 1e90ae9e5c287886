"""Where the baskets of a TTree's branch lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flavorframe._rootio.arrays import Array
from flavorframe._rootio.compressed_blocks import MIN_BYTES
from flavorframe._rootio.read_errors import DamageError, LeftToUprootError
from flavorframe._rootio.source import Range
from flavorframe._rootio.tree.partial_baskets import SharedBasket


@dataclass(frozen=True)
class BasketTable:
    """Where a branch's baskets lie: file positions, sizes in bytes, and first events with the end.

    ``mean`` is the number of bytes that an event takes, decompressed: so much memory is prepared.
    ``opened`` has the baskets that several partitions share, once their keys have been read.
    """

    positions: Array
    sizes: Array
    entries: Array
    mean: float
    opened: dict[int, SharedBasket] = field(default_factory=dict)

    @classmethod
    def of(cls, branch: Any) -> BasketTable:
        """Return the table of a branch; raises LeftToUprootError for baskets in the tree itself."""
        if branch.embedded_baskets:
            raise LeftToUprootError("baskets embedded in the tree")
        count = branch.num_baskets
        entries = np.zeros(1, np.int64)
        if count:
            entries = np.asarray(branch.member("fBasketEntry")[: count + 1], np.int64)
        positions = np.asarray(branch.member("fBasketSeek")[:count], np.int64)
        sizes = np.asarray(branch.member("fBasketBytes")[:count], np.int64)
        ascending = entries[0] == 0 and (np.diff(entries) >= 0).all()
        if not ascending or entries[-1] != branch.num_entries or (positions < 0).any():
            raise DamageError("the table of baskets does not cover the events from first to last")
        if (sizes < 0).any():
            raise DamageError("the table of baskets has a basket of negative size")
        mean = branch.member("fTotBytes") / max(int(entries[-1]), 1)
        return cls(positions, sizes, entries, min(max(mean, 0.0), 1000.0))

    def covering(self, start: int, stop: int) -> range:
        """Return the numbers of the baskets that hold the events start ≤ i < stop."""
        first = int(np.searchsorted(self.entries, start, "right")) - 1
        last = int(np.searchsorted(self.entries, stop, "left"))
        return range(max(first, 0), max(first, 0) if start >= stop else last)

    def shared(self, numbers: range, start: int, stop: int) -> list[int]:
        """Return those of the baskets that are large and hold other events too."""
        ends = [number for number in {numbers.start, numbers.stop - 1} if number in numbers]
        return [number for number in ends if self._is_shared(number, start, stop)]

    def _is_shared(self, number: int, start: int, stop: int) -> bool:
        first, end = self.entries[number], self.entries[number + 1]
        return bool((first < start or end > stop) and self.mean * (end - first) >= MIN_BYTES)

    def places(self, start: int, stop: int) -> list[Range]:
        """Return where the baskets lie that hold the events start ≤ i < stop.

        Without those that other partitions share: of these only parts are read.
        """
        numbers = self.covering(start, stop)
        shared = self.shared(numbers, start, stop)
        wanted = [number for number in numbers if number not in shared]
        begins = self.positions[wanted]
        ends = begins + self.sizes[wanted]
        return list(zip(begins.tolist(), ends.tolist(), strict=True))

    def rows(self, numbers: range, start: int) -> Array:
        """Return a row for each basket: position, size, first event and end, from ``start`` on."""
        part = slice(numbers.start, numbers.stop)
        rows = np.empty((len(numbers), 4), np.int64)
        rows[:, 0], rows[:, 1] = self.positions[part], self.sizes[part]
        rows[:, 2] = self.entries[part] - start
        rows[:, 3] = self.entries[numbers.start + 1 : numbers.stop + 1] - start
        return rows


POSITION, BYTES, FIRST, END = range(4)
"""The columns of what `BasketTable.rows` returns."""
