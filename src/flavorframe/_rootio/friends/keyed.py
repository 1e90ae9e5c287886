"""A friend by key: for each event a list of the rows that have the same key."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache

import numpy as np

from flavorframe._rootio.arrays import Array, Column, Lists, Strings, taken
from flavorframe._rootio.event_file import EventFile
from flavorframe._rootio.friends.table import Found, FriendTable
from flavorframe._rootio.list_indices import ranges
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.schema import BranchInfo


class FriendByKey:
    """A friend's rows as lists in the events of a tree."""

    def __init__(self, table: FriendTable, file: EventFile, key: tuple[str, ...]) -> None:
        """``key`` are the branches of the tree that the key of the table is compared with."""
        self._table, self._file, self._key = table, file, key
        self.branches: tuple[BranchInfo, ...] = table.branches
        self._found = lru_cache(maxsize=2)(self._find)

    def matches(self, start: int, stop: int) -> Array:
        """Return how many rows each event of a range has."""
        return self._found(start, stop).sizes

    def read(self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats) -> Column:
        """Return one column at the events start + ``rows``."""
        found = self._found(start, stop)
        begins = (np.cumsum(found.sizes) - found.sizes)[rows]
        sizes = found.sizes[rows]
        wanted = found.rows[ranges(begins, sizes)]
        return Lists(taken(self._table.values(branch), wanted), sizes)

    def ahead(self, branches: Sequence[str], start: int, stop: int) -> AbstractContextManager[None]:
        """Do nothing: the table is in memory."""
        return nullcontext()

    def _find(self, start: int, stop: int) -> Found:
        rows = np.arange(stop - start)
        keys = [self._file.read(branch, start, stop, rows, ReadStats()) for branch in self._key]
        return self._table.find([k for k in keys if not isinstance(k, Lists | Strings)])
