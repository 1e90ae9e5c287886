"""The type of a column whose type is not the same in all files: one that holds the values of all.

It does not depend on which came first. Whole numbers stay whole numbers, in the smallest type that
holds both, and are doubles where others are floats. What the common type cannot hold (a number of
more than 53 bits beside floats, one from 2⁶³ beside signed ones) is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from flavorframe._snapshots.columns import Array, Columns
from flavorframe.errors import OutputError

Type = np.dtype[Any]


def common_type(a: Type, b: Type) -> Type:
    """Return the type that holds the values of both.

    >>> common_type(np.dtype("float32"), np.dtype("float64"))
    dtype('float64')
    >>> common_type(np.dtype("int64"), np.dtype("uint64"))
    dtype('int64')
    >>> common_type(np.dtype("int8"), np.dtype("float32"))
    dtype('float64')
    """
    kinds = {a.kind, b.kind}
    if kinds == {"i", "u"}:
        common = np.promote_types(a, b)
        return common if common.kind == "i" else np.dtype("int64")
    if "f" in kinds and kinds & {"i", "u"}:  # not numpy's float32, which would depend on the order
        return np.dtype("float64")
    return np.promote_types(a, b)


def cast(name: str, values: Array, to: Type) -> Array:
    """Return a copy of a column's values in a wider type; raises OutputError where one is lost."""
    cast = np.array(values, dtype=to)
    if values.dtype != to and values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        _require_kept(name, values, cast)
    return cast


def _require_kept(name: str, values: Array, cast: Array) -> None:
    to_float = cast.dtype.kind == "f"
    kept = np.abs(cast) < 2.0**53 if to_float else (values >= 0) == (cast >= 0)
    if not kept.all():
        value = values[np.argmin(kept)]
        raise OutputError(
            f"column {name!r} is {values.dtype} in one file and has another type in others: the "
            f"number {value} does not fit into {cast.dtype}, which would hold both. Make one type "
            "of them in the analysis, or leave it out of the snapshot."
        )


def concatenated(name: str, columns: Sequence[Array]) -> Array:
    """Return the values of a column one after the other, in the type that holds all."""
    kinds = {column.dtype for column in columns}
    if len(kinds) == 1:
        return np.concatenate(columns)
    first, *others = (column.dtype for column in columns)
    for kind in others:
        first = common_type(first, kind)
    return np.concatenate([cast(name, column, first) for column in columns])


def joined(chunks: Sequence[Columns]) -> dict[str, Array]:
    """Return the rows of several chunks, which have the same columns, as one chunk."""
    return {name: concatenated(name, [chunk[name] for chunk in chunks]) for name in chunks[0]}
