"""A file with one row a candidate, read as events that have lists of candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache

import numpy as np

from flavorframe._files.versions import Version
from flavorframe._rootio.arrays import Array, Column, Lists, Nested
from flavorframe._rootio.candidate_rows.groups import Groups
from flavorframe._rootio.event_file import EventFile
from flavorframe._rootio.list_indices import ranges
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.schema import BranchInfo, Schema


class EventsOfRows:
    """An open tree whose rows are candidates, with what `RootFile` offers for one of events.

    What has one value a row is a list in each event, but for branches that have one value an event:
    these are read at the first row of each.
    """

    def __init__(self, file: EventFile, groups: Groups, of_event: tuple[str, ...]) -> None:
        """``of_event`` are patterns of branches with one value an event."""
        self._file = file
        self.path = file.path
        self.tree = file.tree
        self.version: Version | None = file.version
        self.schema = schema_of_events(file.schema, of_event)
        self._groups = groups
        self.events = self._groups.events
        self.shorter: Mapping[str, int] = file.shorter
        self._starts = lru_cache(maxsize=2)(self._groups.starts)

    def read(self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats) -> Column:
        """Return one column at the events start + ``rows``, as `RootFile.read` does."""
        if self.schema.by_name[branch].shape == "scalar":
            starts = self._starts(start, stop)
            first, last = int(starts[0]), int(starts[-1])
            return self._file.read(branch, first, last, starts[rows] - first, stats)
        content, sizes = self._read_rows(branch, start, stop, rows, stats)
        assert not isinstance(content, Lists)
        return Lists(content, sizes)

    def read_nested(
        self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats
    ) -> Nested:
        """Return one column of which each row has a list."""
        lists, sizes = self._read_rows(branch, start, stop, rows, stats)
        assert isinstance(lists, Lists)
        return Nested(lists, sizes)

    def _read_rows(
        self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats
    ) -> tuple[Column, Array]:
        """Return what all rows of some events have, and how many rows each event has."""
        starts = self._starts(start, stop)
        first, last = int(starts[0]), int(starts[-1])
        starts = starts - first
        begins = starts[rows]
        sizes = starts[rows + 1] - begins
        everything = len(rows) == stop - start
        wanted = np.arange(last - first) if everything else ranges(begins, sizes)
        return self._file.read(branch, first, last, wanted, stats), sizes

    def common_edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        """Return the first events after the rows at which all branches begin a basket."""
        edges = np.array(self._file.common_edges(branches), np.int64)
        return tuple(np.unique(self._groups.events_before(edges)).tolist())

    def ahead(self, branches: Sequence[str], start: int, stop: int) -> AbstractContextManager[None]:
        """Ask a server at once for what the block will read of some branches."""
        starts = self._starts(start, stop)
        return self._file.ahead(branches, int(starts[0]), int(starts[-1]))


@lru_cache(maxsize=32)
def schema_of_events(schema: Schema, of_event: tuple[str, ...]) -> Schema:
    """Return the schema of a tree with one row a candidate, its branches as events have them.

    ``of_event`` are patterns of the branches that have one value an event.
    """
    return Schema(schema.tree, tuple(_of_events(info, of_event) for info in schema.branches))


def _of_events(info: BranchInfo, of_event: tuple[str, ...]) -> BranchInfo:
    if info.shape == "scalar":
        single = any(fnmatchcase(info.name, pattern) for pattern in of_event)
        return info if single else replace(info, shape="list")
    if info.shape == "list":
        return replace(info, shape="nested")
    if info.shape == "nested":
        return replace(info, kind="other", shape="other", why="it has lists of lists of candidates")
    return info
