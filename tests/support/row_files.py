"""Files with one row a candidate, made of files of the `nano` layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

import flavorframe as ff
from support.oracle import KEY, MEMBERS

LINKS = {"mu1": "Muon", "mu2": "Muon", "track": "Track"}
STORED = {"charge": "charge", "is_global": "isGlobal", "is_pf": "isPF"}

LAYOUT = ff.layout(
    "rows",
    recognised_by=["triplet_mass", "triplet_mu1_is_global"],
    event={
        "luminosity_block": "luminosityBlock",
        "n_primary_vertices": "PV_npvs",
        "n_pileup": "Pileup_nPU",
    },
    triggers={"hlt": {"branches": ["HLT_*"]}, "l1": {"branches": ["L1_*"]}},
    rows={"key": KEY, "candidates": "triplet", "event": ["HLT_*", "L1_*", "PV_*", "Pileup_*"]},
)


def write_rows(
    source: Path, target: Path, *, rows_per_basket: int = 7, format: str = "ttree"
) -> Path:
    """Write the candidates of a file in the `nano` layout, one in a row; return the target.

    Fields of the muons and tracks that candidates link to are written beside their own.
    """
    events = uproot.open(source)["Events"].arrays()
    columns = _columns(events)
    with uproot.recreate(target) as file:
        types = {name: column.dtype for name, column in columns.items()}
        make = file.mkrntuple if format == "rntuple" else file.mktree
        tree = make("DecayTree", types)
        for start in range(0, len(columns["run"]), rows_per_basket):
            tree.extend({k: v[start : start + rows_per_basket] for k, v in columns.items()})
    return target


def _columns(events: Any) -> dict[str, np.ndarray]:
    mass = events["triplet_mass"]
    columns = {}
    for name in events.fields:
        if name.startswith("triplet_") and not name.endswith("_idx"):
            columns[name] = ak.to_numpy(ak.flatten(events[name]))
        elif events[name].ndim == 1:
            columns[name] = ak.to_numpy(ak.flatten(ak.broadcast_arrays(events[name], mass)[0]))
    for part, collection in LINKS.items():
        index = events[f"triplet_{part}_idx"]
        for field in MEMBERS:
            stored = f"{collection}_{STORED.get(field, field)}"
            if stored in events.fields:
                columns[f"triplet_{part}_{field}"] = ak.to_numpy(ak.flatten(events[stored][index]))
    return columns
