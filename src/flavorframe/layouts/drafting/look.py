"""A look at a file: its branches, and what they hold in the first events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flavorframe._rootio.arrays import Array, Lists
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.root_file import RootFile
from flavorframe._rootio.schema import BranchInfo, Schema

EVENTS = 4000
"""How many events are looked at."""


@dataclass(frozen=True)
class Look:
    """What a file holds in its first events.

    Attributes:
        schema: The branches of the tree.
        events: How many events were looked at.
        lists: The branches with a list in each event.
        scalars: The branches with one number or truth value an event.
    """

    schema: Schema
    events: int
    lists: Mapping[str, Lists]
    scalars: Mapping[str, Array]

    @classmethod
    def at(cls, file: RootFile) -> Look:
        """Look at an open file; raises FileError where it cannot be read."""
        stop, lists, scalars = min(file.events, EVENTS), {}, {}
        whole = [b for b in file.schema.branches if file.shorter.get(b.name, stop) >= stop]
        for branch in filter(is_readable, whole):
            column = file.read(branch.name, 0, stop, np.arange(stop), ReadStats())
            if isinstance(column, Lists):
                lists[branch.name] = column
            elif isinstance(column, np.ndarray):
                scalars[branch.name] = column
        return cls(file.schema, stop, lists, scalars)

    @cached_property
    def unread(self) -> list[BranchInfo]:
        """The branches that expressions cannot take."""
        return [branch for branch in self.schema.branches if not is_readable(branch)]

    def numbers(self, branch: str) -> Array | None:
        """Return all numbers of a branch, or None if it holds no decimal ones."""
        if self.schema.by_name[branch].kind != "float":
            return None
        column = self.lists.get(branch)
        numbers = self.scalars[branch] if column is None else column.elements
        return numbers if isinstance(numbers, np.ndarray) else None


def is_readable(branch: BranchInfo) -> bool:
    """Return whether expressions can take what the branch holds."""
    return branch.shape in ("list", "scalar") and branch.kind not in ("other", "repeated")
