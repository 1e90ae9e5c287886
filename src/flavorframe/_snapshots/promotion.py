"""The type of a column whose type is not the same in all files: one that holds the values of all.

It does not depend on which came first. Whole numbers stay whole numbers, in the smallest type that
holds both, and are doubles where others are floats. What the common type cannot hold (a number of
more than 53 bits beside floats, one from 2⁶³ beside signed ones) is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

import numpy as np

from flavorframe._snapshots.columns import Array, Column, Dtype, Lists, Type, type_of
from flavorframe.errors import OutputError

C = TypeVar("C", bound=Column)


def common_type(a: Dtype, b: Dtype) -> Dtype:
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


def joint_type(name: str, a: Type, b: Type) -> Type:
    """Return the type that holds the columns of both; raises OutputError where there is none."""
    lists = [kind.counter is not None for kind in (a, b)]
    strings = [kind.dtype.kind == "O" for kind in (a, b)]
    if len({*lists}) > 1 or len({*strings}) > 1:
        raise OutputError(
            f"column {name!r} is {_words(a)} in one file and {_words(b)} in another, and no type "
            "holds both."
        )
    dtype = a.dtype if strings[0] else common_type(a.dtype, b.dtype)
    return Type(dtype, a.counter if a.counter == b.counter else "")


def _words(kind: Type) -> str:
    held = "string" if kind.dtype.kind == "O" else "number"
    return f"one {held} in each row" if kind.counter is None else f"a list of {held}s"


def in_type(name: str, column: Column, to: Type) -> Column:
    """Return a copy of a column in a wider type; raises OutputError where a value is lost."""
    if isinstance(column, Lists):
        content = _widened(name, column.content, to.dtype)
        return Lists(content, column.sizes.copy(), to.counter or "")
    return _widened(name, column, to.dtype)


def _widened(name: str, values: Array, to: Dtype) -> Array:
    wider = np.array(values, dtype=to)
    if values.dtype != to and values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        _require_kept(name, values, wider)
    return wider


def _require_kept(name: str, values: Array, wider: Array) -> None:
    to_float = wider.dtype.kind == "f"
    kept = np.abs(wider) < 2.0**53 if to_float else (values >= 0) == (wider >= 0)
    if not kept.all():
        value = values[np.argmin(kept)]
        raise OutputError(
            f"column {name!r} is {values.dtype} in one file and has another type in others: the "
            f"number {value} does not fit into {wider.dtype}, which would hold both. Make one type "
            "of them in the analysis, or leave it out of the snapshot."
        )


def concatenated(name: str, columns: Sequence[C]) -> C:
    """Return the values of a column one after the other, in the type that holds all."""
    kind, *others = dict.fromkeys(map(type_of, columns))
    for other in others:
        kind = joint_type(name, kind, other)
    same = columns if not others else [in_type(name, column, kind) for column in columns]
    lists = [column for column in same if isinstance(column, Lists)]
    arrays = [column for column in same if not isinstance(column, Lists)]
    if not lists:
        return cast(C, np.concatenate(arrays))
    content = np.concatenate([each.content for each in lists])
    sizes = np.concatenate([each.sizes for each in lists])
    return cast(C, Lists(content, sizes, kind.counter or ""))


def joined(chunks: Sequence[Mapping[str, C]]) -> dict[str, C]:
    """Return the rows of several chunks, which have the same columns, as one chunk."""
    return {name: concatenated(name, [chunk[name] for chunk in chunks]) for name in chunks[0]}
