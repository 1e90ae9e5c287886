"""The first rows of a table of candidates, a line for each column."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from flavorframe._display import Grid
from flavorframe._display.numbers import plural

_SHOWN_ROWS = 5


def preview(columns: Mapping[str, npt.NDArray[np.generic]]) -> Grid:
    """Return name, type and first values of each column, under the size of the table.

    >>> preview({"charge": np.array([1, -1])}).rows
    (('charge', 'int64', '1', '-1'),)
    """
    rows = len(next(iter(columns.values()), ()))
    shown = min(rows, _SHOWN_ROWS)
    more = ("…",) if rows > shown else ()
    size = f"{rows:,} {plural(rows, 'row')}"
    count = len(columns)
    return Grid(
        header=("column", "type", *map(str, range(shown)), *more),
        rows=tuple(
            (name, str(values.dtype), *map(_value, values[:shown].tolist()), *more)
            for name, values in columns.items()
        ),
        labels=2,
        css_class="ff-table",
        caption=f"{size} × {count:,} {plural(count, 'column')}",
    )


def _value(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
