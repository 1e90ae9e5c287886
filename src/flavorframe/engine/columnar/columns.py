"""The columns of one partition, each read once, when first asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from flavorframe.engine.columnar.arrays import Array, Lists
from flavorframe.engine.columnar.baskets import Spent
from flavorframe.engine.columnar.reader import RootFile
from flavorframe.errors import FileError
from flavorframe.expr import nodes as n


class Columns:
    """What has been read of a range of events, and what that took (``spent``)."""

    def __init__(self, file: RootFile, start: int, stop: int, carriers: dict[n.Axis, str]) -> None:
        """``carriers`` names a branch of each collection, to learn the lengths of its lists."""
        self._file, self._start, self._stop = file, start, stop
        self._carriers = carriers
        self._read: dict[str, Any] = {}
        self._sizes: dict[n.Axis, tuple[str, Array]] = {}
        self.spent = Spent()

    def __len__(self) -> int:
        return self._stop - self._start

    def values(self, column: n.Column, rows: Array) -> Any:
        """Return the values of some events, or the elements of their lists one after the other."""
        stored = self._stored(column.branch)
        if not isinstance(stored, Lists):
            return stored[rows]
        self._check_sizes(column.on, column.branch, stored.sizes)
        with self.spent.on("decoding"):
            return stored.take(rows)

    def sizes(self, axis: n.Axis) -> Array:
        """Return how many elements of a collection each event has."""
        if axis not in self._sizes:
            branch = self._carriers[axis]
            self._check_sizes(axis, branch, self._stored(branch).sizes)
        return self._sizes[axis][1]

    def _stored(self, branch: str) -> Any:
        if branch not in self._read:
            self._read[branch] = self._file.read(branch, self._start, self._stop, self.spent)
        return self._read[branch]

    def _check_sizes(self, axis: n.Axis, branch: str, sizes: Array) -> None:
        known, expected = self._sizes.setdefault(axis, (branch, sizes))
        if sizes is not expected and not np.array_equal(sizes, expected):
            row = int(np.flatnonzero(sizes != expected)[0])
            raise FileError(
                f"{self._file.path}: in event {self._start + row} branch {branch} has "
                f"{sizes[row]} elements and {known} has {expected[row]}: they are not lists of the "
                f"same collection ({axis.name})."
            )
