"""What is written: an array with one value for each row, or lists, for each column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from flavorframe.errors import AnalysisError

Array = npt.NDArray[Any]
Dtype = np.dtype[Any]


@dataclass(frozen=True)
class Lists:
    """A list in each row, one after the other in ``content``; ``sizes`` are their lengths.

    ``counter`` is the branch of a TTree that counts them together with others; empty where it
    counts them alone.
    """

    content: Array
    sizes: Array
    counter: str = ""

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, rows: slice) -> Lists:
        edges = np.concatenate(([0], np.cumsum(self.sizes)))
        first, stop, _ = rows.indices(len(self))
        stop = max(first, stop)
        return Lists(self.content[edges[first] : edges[stop]], self.sizes[rows], self.counter)

    def copy(self) -> Lists:
        """Return lists that hold on to nothing else."""
        return Lists(self.content.copy(), self.sizes.copy(), self.counter)

    @property
    def nbytes(self) -> int:
        """How much memory they take [bytes]."""
        return int(self.content.nbytes + self.sizes.nbytes)


class Type(NamedTuple):
    """The type of a column's values; ``counter`` is None where there is one value in each row."""

    dtype: Dtype
    counter: str | None = None


Column = Array | Lists
Columns = Mapping[str, Column]
Arrays = Mapping[str, Array]
"""Columns without lists."""
Types = Mapping[str, Type]
STRING = np.dtype(object)
"""The type of strings, which are Python's."""


def type_of(column: Column) -> Type:
    """Return the type of a column."""
    if isinstance(column, Lists):
        return Type(column.content.dtype, column.counter)
    return Type(column.dtype)


def row_count(columns: Columns) -> int:
    """Return the number of rows."""
    return len(next(iter(columns.values()), ()))


def require_equal_lengths(columns: Columns) -> None:
    """Raise AnalysisError where a column has not one value or list in each row."""
    for name, column in columns.items():
        if not isinstance(column, Lists) and column.ndim != 1:
            raise AnalysisError(f"column {name!r} has shape {column.shape}; it should be (rows,).")
        if len(column) != row_count(columns):
            first = next(iter(columns))
            raise AnalysisError(
                f"columns differ in length: {first!r} has {row_count(columns)} rows, "
                f"{name!r} has {len(column)}."
            )


def listed(names: Iterable[str]) -> str:
    """Return the names of columns for an error message."""
    return ", ".join(map(repr, names)) or "no columns"
