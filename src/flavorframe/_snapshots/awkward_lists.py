"""Columns as uproot takes and returns them: lists and strings are awkward arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._snapshots.columns import STRING, Array, Column, Lists, Type

if TYPE_CHECKING:
    import awkward as ak


def as_awkward(column: Column) -> Array | ak.Array:
    """Return a column as uproot writes it: plain numbers stay as they are."""
    if not isinstance(column, Lists) and column.dtype != STRING:
        return column
    import awkward as ak

    if not isinstance(column, Lists):
        return ak.Array(_strings(column))
    offsets = ak.index.Index64(np.concatenate(([0], np.cumsum(column.sizes))))
    content = column.content
    inside = _strings(content) if content.dtype == STRING else ak.contents.NumpyArray(content)
    return ak.Array(ak.contents.ListOffsetArray(offsets, inside))


def awkward_type(kind: Type) -> Any:
    """Return a type of strings or lists as awkward has it."""
    import awkward as ak

    types = ak.types
    if kind.dtype == STRING:
        characters = types.NumpyType("uint8", parameters={"__array__": "char"})
        content = types.ListType(characters, parameters={"__array__": "string"})
    else:
        content = types.NumpyType(kind.dtype.name)
    return content if kind.counter is None else types.ListType(content)


def from_awkward(array: ak.Array, counter: str = "") -> Column:
    """Return a column as uproot read it; ``counter`` is the branch that counts its lists."""
    import awkward as ak

    layout = array.layout
    if layout.parameter("__array__") == "string":
        return _objects(array)
    if not layout.is_list:
        return np.asarray(ak.to_numpy(array))
    layout = layout.to_ListOffsetArray64(True)
    offsets = np.asarray(layout.offsets.data)
    inside = ak.Array(layout.content[: offsets[-1]])
    is_string = inside.layout.parameter("__array__") == "string"
    content = _objects(inside) if is_string else np.asarray(ak.to_numpy(inside))
    return Lists(content, np.diff(offsets), counter)


def _strings(values: Array) -> Any:
    """Return strings as awkward has them, each different one made once."""
    import awkward as ak

    places = {value: place for place, value in enumerate(dict.fromkeys(values.tolist()))}
    known = ak.to_layout(ak.Array([*places] or [""]))
    indices = np.fromiter(map(places.__getitem__, values.tolist()), np.int64, len(values))
    chosen = ak.contents.IndexedArray(ak.index.Index64(indices), known)
    return ak.to_packed(chosen.project(), highlevel=False)


def _objects(array: ak.Array) -> Array:
    import awkward as ak

    objects = np.empty(len(array), object)
    objects[:] = ak.to_list(array)
    return objects
