"""The ``nano`` layout: flat branches with counters, a TTree or an RNTuple "Events", by uproot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from flavorframe.samples.record import Array, Collection, Events

#: Algorithm → setting, with the levels of the ``bph`` layout.
COMPRESSION = {"zstd": uproot.ZSTD(2), "zlib": uproot.ZLIB(1), "lz4": uproot.LZ4(4)}


def write_nano(path: Path, pieces: Iterable[Events], *, rntuple: bool, compression: str) -> None:
    """Write pieces of events one after the other into a new file.

    An RNTuple has one field a column (``Muon_pt``, …) and the counters, as NanoAOD's has.
    """
    tree: Any = None
    with uproot.recreate(path, compression=COMPRESSION[compression]) as file:
        create, columns_of = (file.mkrntuple, _fields) if rntuple else (file.mktree, _branches)
        for piece in pieces:
            if tree is None:
                tree = create("Events", columns_of(piece))
            else:
                tree.extend(columns_of(piece))


def _branches(events: Events) -> dict[str, Any]:
    # A list of records: uproot writes its fields as branches, with one counter.
    lists = {
        name: _lists(collection, ak.contents.RecordArray(_contents(collection), collection.fields))
        for name, collection in events.collections.items()
    }
    return _flat(events) | lists


def _fields(events: Events) -> dict[str, Any]:
    columns: dict[str, Any] = _flat(events)
    for name, collection in events.collections.items():
        columns[f"n{name}"] = collection.counts.astype(np.int32)
        for field, content in zip(collection.fields, _contents(collection), strict=True):
            columns[f"{name}_{field}"] = _lists(collection, content)
    return columns


def _flat(events: Events) -> dict[str, Array]:
    return events.scalars | events.hlt | events.l1


def _contents(collection: Collection) -> list[Any]:
    return [ak.contents.NumpyArray(values) for values in collection.fields.values()]


def _lists(collection: Collection, content: Any) -> ak.Array:
    return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(collection.offsets), content))
