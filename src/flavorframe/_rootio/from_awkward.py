"""Columns from awkward arrays, which uproot returns."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from flavorframe._rootio.arrays import Array, Column, Lists, Strings
from flavorframe._rootio.read_errors import DamageError
from flavorframe._rootio.schema import BranchInfo


def column_of(array: ak.Array, info: BranchInfo) -> Column:
    """Return the column; raises DamageError where its lists do not fit its values."""
    return _lists(array.layout, info) if info.shape == "list" else _scalars(array, info)


def _scalars(array: ak.Array, info: BranchInfo) -> Array | Strings:
    if info.kind == "string":
        return _strings(ak.to_list(array))
    return np.asarray(ak.to_numpy(array))


def _lists(layout: Any, info: BranchInfo) -> Lists:
    layout = layout.to_ListOffsetArray64(True)
    offsets = np.asarray(layout.offsets.data)
    sizes = np.diff(offsets)
    if (sizes < 0).any() or offsets[-1] > len(layout.content):
        raise DamageError("its lists do not fit its values")
    content = layout.content[: offsets[-1]]
    values = _strings(ak.to_list(content)) if info.kind == "string" else np.asarray(content.data)
    return Lists(values, sizes, offsets[:-1])


def _strings(values: list[str]) -> Strings:
    codes = {value: code for code, value in enumerate(dict.fromkeys(values))}
    return Strings(np.array([codes[value] for value in values], np.int32), tuple(codes))
