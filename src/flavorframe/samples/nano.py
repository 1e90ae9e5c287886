"""The ``nano`` layout: flat branches with counters, a TTree or an RNTuple "Events"."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from flavorframe.samples.record import Array, Collection, Events
from flavorframe.samples.trees import Columns

TREE = "Events"


def branches(events: Events) -> Columns:
    """Return the branches of a TTree."""
    # A list of records: uproot writes its fields as branches, with one counter.
    lists = {
        name: _lists(collection, ak.contents.RecordArray(_contents(collection), collection.fields))
        for name, collection in events.collections.items()
    }
    return _flat(events) | lists


def fields(events: Events) -> Columns:
    """Return the fields of an RNTuple: one a column (``Muon_pt``, …) and the counters.

    So has NanoAOD's.
    """
    columns: Columns = _flat(events)
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
