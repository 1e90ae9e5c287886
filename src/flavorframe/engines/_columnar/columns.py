"""The columns of one partition: each is read once, at the events that are alive by then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._rootio.arrays import AnyColumn, Array, Column, Content, Lists, Nested
from flavorframe._rootio.event_file import EventFile
from flavorframe._rootio.read_stats import ReadStats
from flavorframe.engines._columnar.segments import find_sorted
from flavorframe.errors import FileError

MOST_COMBINATIONS = 2**28
"""Of more pairs or triples in a partition, one quantity alone takes over 2 GiB."""


class ReadAhead(NamedTuple):
    """Events at which some branches may be needed later."""

    events: Array
    branches: frozenset[str]


class Columns:
    """The branches read so far in a range of events; ``stats`` has the seconds and bytes.

    A branch is read at all events at once at which it may be needed, also at those ``ahead``, for
    what is compressed together is decompressed each time.
    """

    def __init__(
        self, file: EventFile, start: int, stop: int, length_branches: Mapping[n.Axis, str]
    ) -> None:
        """``length_branches`` has a branch of each collection, to read list lengths from."""
        self._file, self._start, self._stop = file, start, stop
        self._length_branches = length_branches
        self._read: dict[str, tuple[Array, AnyColumn]] = {}
        self._sizes: dict[n.Axis, _ListSizes] = {}
        self.stats = ReadStats()
        self.ahead: Callable[[], Iterable[ReadAhead]] = tuple

    @cached_property
    def all_events(self) -> Array:
        """The position in the partition of each of its events."""
        return np.arange(len(self))

    def __len__(self) -> int:
        return self._stop - self._start

    def values(self, column: n.Column, rows: Array) -> Content:
        """Return the values of some events, or the elements of their lists one after the other."""
        if isinstance(column.on, n.StoredLists):
            return self._inner_lists(column.on, column.branch, rows).elements
        stored = self.lists(column, rows)
        return stored.elements if isinstance(stored, Lists) else stored

    def have(self, branch: str, rows: Array) -> None:
        """Read a branch at some events, if that is not done yet."""
        self._branch(branch, rows)

    def nested_sizes(self, axis: n.StoredLists, rows: Array) -> Array:
        """Return how many elements each list of a nested axis has, in some events."""
        return self._inner_lists(axis, self._length_branches[axis], rows).sizes

    def lists(self, column: n.Column, rows: Array) -> Column:
        """Return the values of some events, or their lists as they are stored."""
        stored = self._branch(column.branch, rows)
        assert not isinstance(stored, Nested)
        if isinstance(stored, Lists):
            self._note_sizes(column.on, column.branch, rows, stored.sizes)
        return stored

    def stored(self, branch: str, rows: Array) -> Column:
        """Return a branch of some events as it is stored, and forget it: a skim copies it once."""
        known = self._known(branch, rows)
        found = self._from_file(branch, rows) if known is None else known
        assert not isinstance(found, Nested)
        return found

    def sizes(self, axis: n.Axis, rows: Array) -> Array:
        """Return how many elements of a collection each of some events has."""
        noted = self._sizes.get(axis)
        found = None if noted is None else noted.at(rows)
        if found is not None:
            return found
        branch = self._length_branches[axis]
        lists = self._branch(branch, rows)
        assert isinstance(lists, Lists | Nested)
        self._note_sizes(axis, branch, rows, lists.sizes)
        return lists.sizes

    def check_combinations(self, axis: n.Axis, numbers: Array, rows: Array) -> None:
        """Raise FileError where so many combinations in some events would fill the memory."""
        total = float(numbers.sum())
        if total > MOST_COMBINATIONS:
            worst = int(numbers.argmax())
            raise FileError(
                f"{self._file.path}: {brief(axis)} are {total:,.0f} in {len(rows):,} events, and "
                f"{numbers[worst]:,.0f} of them in event {self._start + rows[worst]}: more than "
                f"{MOST_COMBINATIONS:,} do not fit in memory. Cut on events first, or combine "
                "parts of collections, such as muon[muon.pt > 3]."
            )

    def _inner_lists(self, axis: n.StoredLists, branch: str, rows: Array) -> Lists:
        """Return the inner lists of a branch, which must have the lengths of all of their axis."""
        stored, first = self._branch(branch, rows), self._length_branches[axis]
        assert isinstance(stored, Nested)
        self._note_sizes(axis.outer, branch, rows, stored.sizes)
        if isinstance(stored.inner, Nested):
            raise FileError(
                f"{self._file.path}: branch {branch} holds lists in lists in lists, of which "
                "expressions take two levels: write what you need of the inner ones to a branch of "
                "its own."
            )
        if branch != first:
            expected = self._inner_lists(axis, first, rows).sizes
            wrong = np.flatnonzero(expected != stored.inner.sizes)
            if len(wrong):
                event = int(np.searchsorted(np.cumsum(stored.sizes), wrong[0], "right"))
                raise FileError(
                    f"{self._file.path}: in event {self._start + rows[event]} an inner list of "
                    f"branch {branch} has {stored.inner.sizes[wrong[0]]} elements and that of "
                    f"{first} {expected[wrong[0]]}: they are not lists of the same elements "
                    f"({axis.name}). Give each a name of its own by {axis.outer.name}.nested(...)."
                )
        return stored.inner

    def _branch(self, branch: str, rows: Array) -> AnyColumn:
        """Return a branch at some events; it is read again only if one of them is missing."""
        known = self._known(branch, rows)
        return self._read_branch(branch, rows) if known is None else known

    def _known(self, branch: str, rows: Array) -> AnyColumn | None:
        """Return a branch at some events if it has been read at all of them."""
        if branch not in self._read:
            return None
        read_at, stored = self._read[branch]
        positions = self._positions(read_at, rows)
        if positions is None:
            return None
        return stored if read_at is rows else stored[positions]

    def _read_branch(self, branch: str, rows: Array) -> AnyColumn:
        """Read a branch of the file at some events, and at those where it is needed later."""
        more = self._also_at(branch, rows)
        try:
            stored = self._from_file(branch, more)
        except FileError:  # perhaps in events that nobody asked for
            if more is rows:
                raise
            stored, more = self._from_file(branch, rows), rows
        self._read[branch] = more, stored
        return stored if more is rows else stored[find_sorted(more, rows)]

    def _also_at(self, branch: str, rows: Array) -> Array:
        """Return the events at which a branch is to be read, if it is needed at some."""
        tells_lengths = branch in self._length_branches.values()
        more = [a.events for a in self.ahead() if tells_lengths or branch in a.branches]
        if branch in self._read:
            more.append(self._read[branch][0])
        for events in more:
            rows = united(rows, events)
        return rows

    def _from_file(self, branch: str, rows: Array) -> AnyColumn:
        if self._file.schema.by_name[branch].shape == "nested":
            return self._file.read_nested(branch, self._start, self._stop, rows, self.stats)
        return self._file.read(branch, self._start, self._stop, rows, self.stats)

    def _positions(self, read_at: Array, rows: Array) -> Array | None:
        """Return where some events stand among those read, or None where one was not read."""
        if read_at is rows or len(read_at) == len(self):
            return rows
        found = find_sorted(read_at, rows)
        return found if (found >= 0).all() else None

    def _note_sizes(self, axis: n.Axis, branch: str, rows: Array, sizes: Array) -> None:
        noted = self._sizes.setdefault(axis, _ListSizes(branch, rows, sizes))
        other = noted.note(rows, sizes)
        if other is not None:
            event, expected = other
            raise FileError(
                f"{self._file.path}: in event {self._start + rows[event]} branch {branch} has "
                f"{sizes[event]} elements and {noted.branch} has {expected}: they are not lists of "
                f"the same collection ({axis.name}). What has one of its own is reached under a "
                f"name for it, such as events.other[{branch!r}]."
            )


def united(rows: Array, events: Array) -> Array:
    """Return the events of both; the larger array itself where it has those of the other."""
    small, large = sorted((rows, events), key=len)
    if small is large or (find_sorted(large, small) >= 0).all():
        return large if len(large) > len(rows) else rows
    return np.union1d(rows, events)


class _ListSizes:
    """The lengths of a collection's lists, as ``branch`` has them in the events read so far."""

    def __init__(self, branch: str, rows: Array, sizes: Array) -> None:
        self.branch = branch
        self._rows, self._sizes = rows, sizes
        self._last = rows, sizes

    def at(self, rows: Array) -> Array | None:
        """Return the lengths at some events; None if one of these was not read."""
        if self._last[0] is not rows:
            found = find_sorted(self._rows, rows)
            if found.min(initial=0) < 0:
                return None
            self._last = rows, self._sizes.take(found)
        return self._last[1]

    def note(self, rows: Array, sizes: Array) -> tuple[int, int] | None:
        """Add lengths; return the first position where another length is known, and that length."""
        earlier = self.at(rows)
        if earlier is None:
            earlier = self._extended(rows, sizes)
        wrong = earlier != sizes
        return (int(wrong.argmax()), earlier[wrong.argmax()]) if wrong.any() else None

    def _extended(self, rows: Array, sizes: Array) -> Array:
        """Add the lengths of events that are new; return the known length of every event."""
        found = find_sorted(self._rows, rows)
        there, new = np.flatnonzero(found >= 0), np.flatnonzero(found < 0)
        earlier: Array = sizes.copy()
        earlier[there] = self._sizes.take(found.take(there))
        more = np.append(self._rows, rows.take(new))
        order = np.argsort(more, kind="stable")
        self._rows = more.take(order)
        self._sizes = np.append(self._sizes, sizes.take(new)).take(order)
        self._last = rows, earlier
        return earlier
