"""Columns from the arrays of awkward in which uproot returns them."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from flavorframe._rootio.arrays import Array, Column, Names, Packed
from flavorframe._rootio.failures import DamageError
from flavorframe._rootio.schema import BranchInfo


def column_of(array: ak.Array, info: BranchInfo) -> Column:
    """Return the column; raises DamageError where its lists do not fit its values."""
    return _lists(array.layout, info) if info.shape == "list" else _scalars(array, info)


def _scalars(array: ak.Array, info: BranchInfo) -> Array | Names:
    if info.kind == "string":
        return _names(ak.to_list(array))
    return np.asarray(ak.to_numpy(array))


def _lists(layout: Any, info: BranchInfo) -> Packed:
    layout = layout.to_ListOffsetArray64(True)
    offsets = np.asarray(layout.offsets.data)
    sizes = np.diff(offsets)
    if (sizes < 0).any() or offsets[-1] > len(layout.content):
        raise DamageError("its lists do not fit its values")
    content = layout.content[: offsets[-1]]
    values = _names(ak.to_list(content)) if info.kind == "string" else np.asarray(content.data)
    return Packed(values, sizes, offsets[:-1])


def _names(values: list[str]) -> Names:
    words = {word: i for i, word in enumerate(dict.fromkeys(values))}
    return Names(np.array([words[v] for v in values], np.int32), tuple(words))
