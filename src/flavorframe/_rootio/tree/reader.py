"""Read the columns of a TTree: by the compiled part, or by uproot what that does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._rootio import compiled
from flavorframe._rootio.arrays import AnyColumn, Array, Lists, Strings
from flavorframe._rootio.event_ranges import split_at_edges
from flavorframe._rootio.piece_cache import pieces, with_size
from flavorframe._rootio.read_errors import (
    DamageError,
    LeftToUprootError,
    file_errors,
    reason,
)
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.schema import BranchInfo, Schema
from flavorframe._rootio.source import Range, Source
from flavorframe._rootio.tree.basket_table import BasketTable
from flavorframe._rootio.tree.baskets import read_events
from flavorframe._rootio.tree.interpretation import (
    Shape,
    is_fixed,
    raw_interpretation,
    shape_of,
)
from flavorframe._rootio.tree.narrow_numbers import narrow_of
from flavorframe.errors import FileError

if TYPE_CHECKING:
    import awkward as ak


class TreeReader:
    """Reads columns of a TTree of so many events."""

    def __init__(
        self,
        path: str,
        events: int,
        schema: Schema,
        branches: Mapping[str, Any],
        source: Source,
    ) -> None:
        self._path = path
        self._events = events
        self._schema = schema
        self._branches = branches
        self._source = source
        self._key = object()  # in the cache; the reader itself would keep its file open
        self._tables: dict[str, BasketTable] = {}
        self._shapes: dict[str, Shape] = {}
        self._members = Counter(
            id(branches[info.name]) for info in schema.branches if info.shape != "group"
        )

    def read(self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats) -> AnyColumn:
        """Return a column at the events start + ``rows``."""
        try:
            return self.read_compiled(branch, start, stop, rows, stats)
        except LeftToUprootError:
            return self.read_by_uproot(branch, start, stop, stats)[rows]

    def read_compiled(
        self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats
    ) -> Array | Lists:
        """Return a column at some events; raises LeftToUprootError for what only uproot reads."""
        if compiled.native is None:  # before anything is read that uproot would read once more
            raise LeftToUprootError("the compiled part is not installed")
        if branch not in self._shapes:
            if self._schema.by_name[branch].member:
                raise LeftToUprootError("a member of objects that are stored whole")
            self._shapes[branch] = shape_of(self._branches[branch])
        shape, table = self._shapes[branch], self._table(branch)
        return read_events(self._source, table, shape, start, stop, rows, stats)

    def read_by_uproot(self, branch: str, start: int, stop: int, stats: ReadStats) -> AnyColumn:
        """Return a column at all events start ≤ i < stop."""
        from flavorframe._rootio.from_awkward import put_into, taken_apart  # imports awkward

        array = self._by_uproot(branch, start, stop, stats)
        if len(array) != stop - start:
            raise DamageError(f"it has values of {len(array)} events")
        with stats.timed("decoding"):
            lists, content = taken_apart(array, self._schema.by_name[branch])
            narrow = narrow_of(self._branches[branch])
            if narrow is not None and not isinstance(content, Strings):
                lists = lists if narrow.width == 1 else lists[:-1]
                content = narrow.decoded(content)
            return put_into(lists, content)

    def _by_uproot(self, branch: str, start: int, stop: int, stats: ReadStats) -> ak.Array:
        """Read a branch; large baskets that partitions share are read once, and kept."""
        table = self._table_or_none(branch)
        shared = table.shared(table.covering(start, stop), start, stop) if table else []
        if table is None or not shared:
            return self._array(branch, start, stop, stats)
        parts = [
            self._part_of_basket(branch, table, number, a, b, stats) if number in shared
            else self._array(branch, a, b, stats)
            for a, b, number in split_at_edges(table.entries, start, stop)
        ]  # fmt: skip
        return parts[0] if len(parts) == 1 else _concatenated(parts)

    def _part_of_basket(
        self, branch: str, table: BasketTable, number: int, start: int, stop: int, stats: ReadStats
    ) -> ak.Array:
        first, end = table.entries[number : number + 2].tolist()
        key = (self._key, id(self._branches[branch]), number)
        whole = pieces.get(key, lambda: with_size(self._array(branch, first, end, stats)))
        return whole[start - first : stop - first]

    def _array(self, branch: str, start: int, stop: int, stats: ReadStats) -> ak.Array | Array:
        """Read a branch; objects are kept, for their other members are often read as well."""
        if not self._schema.by_name[branch].member:
            return self._fresh_array(branch, start, stop, stats)
        key = (self._key, id(self._branches[branch]), start, stop)
        return pieces.get(key, lambda: with_size(self._fresh_array(branch, start, stop, stats)))

    def _fresh_array(
        self, branch: str, start: int, stop: int, stats: ReadStats
    ) -> ak.Array | Array:
        stored = self._branches[branch]
        narrow = narrow_of(stored)
        how = stored.interpretation if narrow is None else raw_interpretation(stored, narrow)
        with stats.timed("reading"), _objects_known(stored, self._schema.by_name[branch]):
            array = stored.array(
                interpretation=how, entry_start=start, entry_stop=stop, array_cache=None,
                library="np" if is_fixed(how) else "ak",
            )  # fmt: skip
        share = (stop - start) / max(self._events, 1)
        with file_errors(self._path, f"the size of branch {branch} cannot be read"):
            stats.bytes += round(int(stored.compressed_bytes) * share)
        return array

    def edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        """Return the events at which all branches begin a basket, and the end."""
        tables = [self._table_or_none(branch) for branch in branches]
        edges = [set() if table is None else set(table.entries.tolist()) for table in tables]
        return tuple(sorted(set.intersection(*edges))) if edges else ()

    def places(self, branch: str, start: int, stop: int) -> list[Range]:
        """Return where the baskets lie that are read whole for the events start ≤ i < stop."""
        table = self._table_or_none(branch)
        return [] if table is None else table.places(start, stop)

    def compressed_bytes(self, branch: str) -> int:
        """Return how many bytes of the file a branch takes."""
        stored = self._branches[branch]
        return int(stored.compressed_bytes) // max(self._members[id(stored)], 1)

    def _table(self, branch: str) -> BasketTable:
        if branch not in self._tables:
            self._tables[branch] = BasketTable.of(self._branches[branch])
        return self._tables[branch]

    def _table_or_none(self, branch: str) -> BasketTable | None:
        """Return where baskets lie; None where that is not known, which reading them explains."""
        try:
            with file_errors(self._path, f"the baskets of branch {branch} cannot be found"):
                return self._table(branch)
        except FileError:
            return None


def _concatenated(parts: Sequence[Any]) -> Any:
    import awkward as ak

    return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else ak.concatenate(parts)


@contextmanager
def _objects_known(stored: Any, info: BranchInfo) -> Iterator[None]:
    """Say what it is where uproot cannot take objects apart that are stored whole."""
    try:
        yield
    except Exception as error:
        if not info.member or isinstance(error, OSError):
            raise
        raise DamageError(
            f"uproot cannot take the objects apart ({stored.typename}): {reason(error)}. ROOT may, "
            "with engine='rdataframe'; and objects that are split have a branch for each member"
        ) from error
