"""A file whose branches have other names, and the layout that tells what they stand for."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

KEPT = ("HLT_*", "L1_*")
"""Trigger paths, which analyses know by the names of their branches."""


def renamed(source: Path, path: Path, seed: int = 1) -> dict[str, Any]:
    """Write the nano sample with names drawn at random; return what `ff.layout` needs for it."""
    with uproot.open(source) as file:
        columns = {b.name: b.array() for b in file["Events"].branches}
    arrays = {name: a for name, a in columns.items() if not re.match(r"n[A-Zt]", name)}
    kept = {name for name in arrays if re.match("HLT_|L1_", name)}
    numbers = random.Random(seed).sample(range(10**6), len(arrays))
    names = {
        name: name if name in kept else f"b{number:06}"
        for name, number in zip(arrays, numbers, strict=True)
    }
    order = sorted(arrays, key=names.__getitem__)
    with uproot.recreate(path) as file:
        types = {names[name]: ak.type(arrays[name]).content for name in order}
        tree = file.mktree("things/tuple", types)
        tree.extend({names[name]: arrays[name] for name in order})
    return _declaration(names)


def _declaration(names: dict[str, str]) -> dict[str, Any]:
    fields: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name, new in names.items():
        collection, _, field = name.partition("_")
        if collection.lower() in ("muon", "track", "triplet"):
            fields[collection.lower()][_friendly(field)] = new
    indices = fields["triplet"]
    links = {
        "mu1": {"to": "muon", "equal": {"pt": "mu1.pt"}},
        "mu2": {"to": "muon", "index": indices.pop("mu2_idx")},
        "track": {"to": "track", "index": indices.pop("track_idx")},
    }
    event = {
        "run": names["run"],
        "luminosity_block": names["luminosityBlock"],
        "event": names["event"],
        "n_primary_vertices": names["PV_npvs"],
        "n_pileup": names["Pileup_nPU"],
    }
    return {
        "tree": "things/tuple",
        "recognised_by": [event["run"], names["triplet_mass"]],
        "event": event,
        "collections": {
            name: {"fields": known, **({"links": links} if name == "triplet" else {})}
            for name, known in fields.items()
        },
        "triggers": {
            "hlt": {"branches": ["HLT_*"]},
            "l1": {"branches": ["L1_*"]},
        },
    }


def _friendly(field: str) -> str:
    """Return the name of a field as analyses write it: ``mu1.pt``, ``is_global``."""
    field = re.sub(r"^(mu[12]|track|refit[123])_(?!idx)", r"\1.", field)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field).lower()
