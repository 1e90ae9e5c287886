"""The rows of a friend by key: its key columns in memory, and the columns that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

from flavorframe._rootio.arrays import Array, Content, Lists, Strings
from flavorframe._rootio.key_hashes import hashed
from flavorframe._rootio.list_indices import ranges
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.root_file import RootFile, require_whole
from flavorframe._rootio.schema import BranchInfo
from flavorframe.errors import BranchError, FileError, did_you_mean


@dataclass(frozen=True)
class Found:
    """The rows of a friend for each of some events: their number, and they themselves."""

    sizes: Array
    rows: Array


class FriendTable:
    """All rows of a friend, found by the values of some of its branches."""

    def __init__(
        self,
        name: str,
        files: Sequence[Callable[[], RootFile]],
        key: tuple[str, ...],
        *,
        many: bool,
    ) -> None:
        """Read the keys of all files, each of which is opened when something is read of it.

        Raises BranchError where one has no such branch, or one that is no key, and FileError where
        two rows have the same key, unless there may be ``many``.
        """
        self._name, self._files, self.key = name, files, key
        first = files[0]()
        self._first, self.branches = first.path, _as_lists(first.schema.branches, name, many)
        self._lock = Lock()
        self._read: dict[str, Content] = {}
        self._keys = [_numbers(self._all_of(branch)) for branch in key]
        numbers = hashed(self._keys)
        self._order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self._order]
        if not many:
            self._require_unique()

    def _require_unique(self) -> None:
        for place in np.flatnonzero(self._sorted[1:] == self._sorted[:-1]):
            one, other = self._order[place], self._order[place + 1]
            if all(column[one] == column[other] for column in self._keys):
                named = ", ".join(
                    f"{n} {c[one]}" for n, c in zip(self.key, self._keys, strict=True)
                )
                raise FileError(
                    f"{self._first}: friend {self._name!r} has several rows for {named}: "
                    "say many=True in ff.friend() and reduce them, such as "
                    f"events.{self._name}.x.max(), or take more branches into on=."
                )

    def find(self, keys: Sequence[Array]) -> Found:
        """Return the rows whose key is that of each event, in the order of the friend's files."""
        wanted = hashed(keys)
        first = np.searchsorted(self._sorted, wanted, "left")
        sizes = np.searchsorted(self._sorted, wanted, "right") - first
        rows = self._order[ranges(first, sizes)]
        event = np.repeat(np.arange(len(wanted)), sizes)
        same = np.ones(len(rows), bool)
        for ours, theirs in zip(keys, self._keys, strict=True):
            same &= _equal(ours[event], theirs[rows])
        if not same.all():
            rows, sizes = rows[same], np.bincount(event[same], minlength=len(wanted))
        return Found(sizes, rows)

    def values(self, branch: str) -> Content:
        """Return a column of all rows, which stays in memory."""
        with self._lock:
            if branch not in self._read:
                self._read[branch] = self._all_of(branch)
            return self._read[branch]

    def _all_of(self, branch: str) -> Content:
        return _concatenated([self._column(opened(), branch) for opened in self._files])

    def _column(self, file: RootFile, branch: str) -> Content:
        if branch in self.key:
            _check(self._name, file, branch)
        return _column(file, branch)


def _numbers(column: Content) -> Array:
    assert not isinstance(column, Strings)
    return column


def _as_lists(branches: Sequence[BranchInfo], name: str, many: bool) -> tuple[BranchInfo, ...]:
    """Return what has one value in each row, as the events of a tree have it: a list in each."""
    partners = "many" if many else "one"
    return tuple(
        replace(branch, shape="list", collection=name, partners=partners)
        for branch in branches
        if branch.shape == "scalar"
    )


def _check(name: str, file: RootFile, branch: str) -> None:
    info = file.schema.by_name.get(branch)
    if info is None:
        raise BranchError(
            f"{file.path}: friend {name!r} has no branch {branch!r} to be joined by."
            f"{did_you_mean(branch, file.schema.by_name)}"
        )
    if info.shape != "scalar" or info.kind not in ("int", "unsigned", "float", "bool"):
        raise BranchError(
            f"{file.path}: friend {name!r} cannot be joined by {branch}, which holds "
            f"{info.typename}: a key is made of numbers, one in each entry."
        )


def _column(file: RootFile, branch: str) -> Content:
    if branch not in file.schema.by_name:
        raise BranchError(
            f"{file.path}: this file of a friend has no branch {branch!r}, which others have."
            f"{did_you_mean(branch, file.schema.by_name)}"
        )
    require_whole(file.path, file.schema, file.events, file.shorter, [branch])
    found = file.read(branch, 0, file.events, np.arange(file.events), ReadStats())
    assert not isinstance(found, Lists)
    return found


def _concatenated(columns: Sequence[Content]) -> Content:
    if not any(isinstance(column, Strings) for column in columns):
        return np.concatenate([_numbers(column) for column in columns])
    known: dict[str, int] = {}
    codes = []
    for column in columns:
        assert isinstance(column, Strings)
        ours = [known.setdefault(word, len(known)) for word in column.categories]
        codes.append(np.array([*ours, 0], np.int64)[column.codes])
    return Strings(np.concatenate(codes), tuple(known))


def _equal(a: Array, b: Array) -> Array:
    """Return where numbers are equal, also integers with a sign and without."""
    if {a.dtype.kind, b.dtype.kind} == {"i", "u"}:
        signed, unsigned = (a, b) if a.dtype.kind == "i" else (b, a)
        same: Array = (signed >= 0) & (signed.astype(np.uint64) == unsigned)
        return same
    equal: Array = a == b
    return equal
