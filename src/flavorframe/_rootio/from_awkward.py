"""Columns from awkward arrays, which uproot returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import awkward as ak
import numpy as np

from flavorframe._rootio.arrays import AnyColumn, Array, Content, Lists, Nested, Strings
from flavorframe._rootio.contents import fields_of
from flavorframe._rootio.read_errors import DamageError
from flavorframe._rootio.schema import BranchInfo


def taken_apart(array: ak.Array | Array, info: BranchInfo) -> tuple[list[Array], Content]:
    """Return the lengths of the lists of a column, the outermost first, and what is in them.

    Of objects it is the column of the member that ``info`` names. Raises DamageError where lists do
    not fit their values.
    """
    if isinstance(array, np.ndarray):
        return _numpy_apart(array, info.member)
    lists, layout = _awkward_apart(array.layout, info.member)
    if info.kind == "string":
        return lists, _strings(ak.to_list(layout))
    return lists, np.asarray(ak.to_numpy(layout) if layout.is_unknown else layout.data)


def put_into(lists: Sequence[Array], content: Content) -> AnyColumn:
    """Return values in lists, of which the lengths are given, the outermost first."""
    column: AnyColumn = content
    for sizes in reversed(lists):
        column = (
            Nested(column, sizes) if isinstance(column, Lists | Nested) else Lists(column, sizes)
        )
    return column


def _numpy_apart(array: Array, member: Sequence[str]) -> tuple[list[Array], Array]:
    for name in member:
        array = array[name]
    numbers = np.cumprod((1, *array.shape))  # of the lists of each depth
    sizes = zip(numbers[1:-1], array.shape[1:], strict=True)
    return [np.full(number, size, np.int64) for number, size in sizes], array.reshape(-1)


def _awkward_apart(layout: Any, member: Sequence[str]) -> tuple[list[Array], Any]:
    """Take an awkward array apart; a value that may be missing is a list of none or one."""
    lists: list[Array] = []
    left = list(member)
    while True:
        if layout.is_record:
            layout = layout.content(fields_of(layout).index(left.pop(0)))
        elif layout.is_option:
            lists.append((~layout.mask_as_bool(valid_when=False)).astype(np.int64))
            layout = layout.project()
        elif layout.is_indexed:
            layout = layout.project()
        elif layout.is_numpy and layout.purelist_depth > 1:
            layout = layout.to_RegularArray()
        elif layout.is_list and layout.parameter("__array__") not in ("string", "bytestring"):
            sizes, layout = _list(layout)
            lists.append(sizes)
        else:
            return lists, layout


def _list(layout: Any) -> tuple[Array, Any]:
    """Return the lengths of lists, and what is in them."""
    if layout.is_regular:
        sizes = np.full(len(layout), layout.size, np.int64)
        return sizes, layout.content[: len(layout) * layout.size]
    layout = layout.to_ListOffsetArray64(True)
    offsets = np.asarray(layout.offsets.data)
    sizes = np.diff(offsets)
    if (sizes < 0).any() or offsets[-1] > len(layout.content):
        raise DamageError("its lists do not fit its values")
    return sizes, layout.content[: offsets[-1]]


def _strings(values: list[str]) -> Strings:
    codes = {value: code for code, value in enumerate(dict.fromkeys(values))}
    return Strings(np.array([codes[value] for value in values], np.int32), tuple(codes))
