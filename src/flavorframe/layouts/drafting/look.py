"""A look at a file: its branches, and what they hold in the first events."""

from __future__ import annotations

import numpy as np

from flavorframe._rootio.arrays import Array, Column, Lists
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.root_file import RootFile

EVENTS = 4000
"""How many events are looked at."""


class Look:
    """What a file holds in its first events; a branch is read when it is asked for.

    Attributes:
        schema: The branches of the tree.
        events: How many events are looked at.
        lists: The branches with a list in each event.
        scalars: The branches with one number or truth value an event.
        unread: The branches that expressions cannot take.
    """

    def __init__(self, file: RootFile) -> None:
        self.schema = file.schema
        self.events = min(file.events, EVENTS)
        branches = file.schema.branches
        whole = [b for b in branches if file.shorter.get(b.name, self.events) >= self.events]
        self.lists = [b.name for b in whole if b.is_readable and b.shape == "list"]
        self.scalars = [
            b.name for b in whole if b.is_readable and b.shape == "scalar" and b.kind != "string"
        ]
        self.unread = [b for b in branches if not b.is_readable]
        self._file = file
        self._known: dict[str, Column] = {}

    def _column(self, branch: str) -> Column:
        """Return a column; raises FileError where it cannot be read."""
        if branch not in self._known:
            rows = np.arange(self.events)
            self._known[branch] = self._file.read(branch, 0, self.events, rows, ReadStats())
        return self._known[branch]

    def values(self, branch: str) -> Array:
        """Return the numbers of a branch, those of lists one event after the other."""
        column = self._column(branch)
        return np.asarray(column.elements if isinstance(column, Lists) else column)

    def sizes(self, branch: str) -> Array:
        """Return the lengths of a branch's lists."""
        column = self._column(branch)
        assert isinstance(column, Lists)
        return np.asarray(column.sizes, np.int64)
