"""Columns from the cache, each at the events that pass the first cuts on events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from flavorframe._cache import Entry
from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import AnyColumn, Array, Content, Lists, Nested, Strings
from flavorframe._rootio.event_file import EventFile
from flavorframe.engines._columnar.caching.keys import Key
from flavorframe.engines._columnar.caching.partition_cache import PartitionCache
from flavorframe.engines._columnar.columns import Columns, united


class CachedColumns(Columns):
    """Columns that look in the cache before they read the file.

    The cuts may be looser next time. So a branch is read at more events than are alive: at all that
    pass the first cuts on events.
    """

    def __init__(
        self,
        file: EventFile,
        start: int,
        stop: int,
        length_branches: Mapping[n.Axis, str],
        cache: PartitionCache,
    ) -> None:
        """``length_branches`` has a branch of each collection, to read list lengths from."""
        super().__init__(file, start, stop, length_branches)
        self._cache = cache
        self._events_to_read: Array | None = None
        self._events_key: Key = None

    def read_at_least(self, events: Array) -> None:
        """Have each branch read at these events: the survivors of the first cuts on events."""
        self._events_to_read = events

    def read_at_least_those_of(self, key: Key) -> None:
        """Say under which key the survivors of all first cuts on events may be found."""
        self._events_key = key

    def _branch(self, branch: str, rows: Array) -> AnyColumn:
        if branch not in self._read:
            found = self._cached(branch)
            if found is not None:
                self._read[branch] = found
        return super()._branch(branch, rows)

    def _read_branch(self, branch: str, rows: Array) -> AnyColumn:
        found = super()._read_branch(branch, rows)
        self._cache.put_read(self._cache.column_key(branch), _entry(*self._read[branch]))
        return found

    def _also_at(self, branch: str, rows: Array) -> Array:
        return united(super()._also_at(branch, rows), self._events_kept_first())

    def _events_kept_first(self) -> Array:
        if self._events_to_read is None:
            entry = self._cache.get(self._events_key)
            found = np.zeros(0, np.int64) if entry is None else entry.arrays["events"]
            self._events_to_read = found
        return self._events_to_read

    def _cached(self, branch: str) -> tuple[Array, AnyColumn] | None:
        """Return the events at which a branch was read before, and what was read of it."""
        entry = self._cache.get(self._cache.column_key(branch))
        if entry is None:
            return None
        arrays = entry.arrays
        content: Content = arrays["content"]
        if "categories" in entry.facts:
            content = Strings(arrays["content"], tuple(entry.facts["categories"]))
        if "sizes" in arrays:
            lists = Lists(content, arrays["sizes"], arrays.get("starts"))
            nested = "outer_sizes" in arrays
            found = Nested(lists, arrays["outer_sizes"]) if nested else lists
            return arrays["rows"].astype(np.int64), found
        return arrays["rows"].astype(np.int64), content


def _entry(rows: Array, stored: AnyColumn) -> Entry:
    """Return what was read of a branch as an entry of the cache."""
    arrays: dict[str, Array] = {"rows": rows.astype(np.int32)}
    facts: dict[str, Any] = {}
    if isinstance(stored, Nested):
        arrays["outer_sizes"] = stored.sizes
        stored = stored.inner
        assert isinstance(stored, Lists), "deeper lists are refused"
    content = stored.content if isinstance(stored, Lists) else stored
    if isinstance(stored, Lists):
        arrays["sizes"] = stored.sizes
        if stored.placed is not None:
            arrays["starts"] = stored.placed
    if isinstance(content, Strings):
        facts["categories"] = content.categories
    arrays["content"] = content.codes if isinstance(content, Strings) else content
    return Entry(facts, arrays)
