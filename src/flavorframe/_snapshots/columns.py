"""Rows of a snapshot: a numpy array of shape (rows,) for each column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from flavorframe.errors import AnalysisError

Array = npt.NDArray[Any]
Columns = Mapping[str, Array]
Types = Mapping[str, np.dtype[Any]]


def row_count(columns: Columns) -> int:
    """Return the number of rows."""
    return len(next(iter(columns.values()), ()))


def require_equal_lengths(columns: Columns) -> None:
    """Raise AnalysisError where a column is not of shape (rows,), as the first one is."""
    for name, column in columns.items():
        if column.ndim != 1:
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
