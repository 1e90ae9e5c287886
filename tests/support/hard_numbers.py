"""Write files whose numbers are meant to be hard: ties, NaN, infinities, links to nothing.

Valid in every respect, and of no physics. Both layouts, and without ROOT: the ``bph`` one as an
RNTuple of that layout's names.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

PATHS = ("HLT_DoubleMu3_Trk_Tau3mu", "HLT_DoubleMu4_3_Jpsi", "HLT_Mu8")
SEEDS = ("L1_DoubleMu4_SQ_OS", "L1_TripleMu_5_3_0", "L1_ETM110")

NANO_MUON = {
    "pt": "float32", "eta": "float32", "phi": "float32", "charge": "int32", "isGlobal": "bool",
    "isPF": "bool", "isSoft": "bool", "isTracker": "bool", "flags": "uint8", "mask": "int32",
    "code": "uint64", "serial": "int64",
}  # fmt: skip
NANO_TRACK = {
    "pt": "float64", "eta": "float64", "phi": "float64", "charge": "int32", "dz": "float64",
    "dxy": "float64",
}  # fmt: skip
NANO_TRIPLET = {
    "mass": "float64", "pt": "float64", "eta": "float64", "phi": "float64", "charge": "int32",
    "vertex_chi2": "float64", "pv_ntracks": "int32", "flight_significance": "float64",
    "mu1_pt": "float64", "mu1_eta": "float64", "mu1_phi": "float64", "mu1_trigger_dr": "float32",
    "mu2_pt": "float64", "mu2_eta": "float64", "mu2_phi": "float64", "mu2_trigger_dr": "float32",
    "track_pt": "float64", "track_eta": "float64", "track_phi": "float64",
    "refit1_pt": "float64", "refit1_eta": "float64", "refit1_phi": "float64",
    "refit2_pt": "float64", "refit2_eta": "float64", "refit2_phi": "float64",
    "mu1_idx": "int32", "mu2_idx": "int32", "track_idx": "int32", "word": "uint32",
    "code": "uint64",
}  # fmt: skip

AS_THEY_ARE = {"flags", "mask", "code", "serial", "word"}
"""What the layout ``bph`` has as whole numbers as well."""

SIZES = (0, 1, 2, 3, 5, 200, 2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**62 + 3, 2**63 - 1)
LARGE = (2**63, 2**63 + 1, 2**63 + 2049, 2**64 - 2, 2**64 - 1)
"""Whole numbers at which types of numbers end."""

LABELS = ("", "tight", "tight medium", "medium", "Loose", "µ")

BPH_NAMES = {
    "Muon": {
        "pt": "MuonPt", "eta": "MuonEta", "phi": "MuonPhi", "charge": "MuonCharge",
        "isGlobal": "Muon_isGlobal", "isPF": "Muon_isPF", "isSoft": "Muon_isSoft",
        "isTracker": "Muon_isTrackerMuon", "flags": "Muon_flags", "mask": "Muon_mask",
        "code": "Muon_code", "serial": "Muon_serial",
    },
    "Track": {name: f"Track_{name}" for name in NANO_TRACK},
    "triplet": {
        "mass": "Triplet2_Mass", "pt": "Triplet2_Pt", "eta": "Triplet2_Eta",
        "phi": "Triplet2_Phi", "charge": "Triplet2_Charge", "vertex_chi2": "TripletVtx2_Chi2",
        "pv_ntracks": "RefittedPV2_NTracks",
        "flight_significance": "FlightDistBS_SV_Significance",
        "word": "Triplet_word", "code": "Triplet_code",
        "mu1_trigger_dr": "Mu1_dRtriggerMatch_2017", "mu2_trigger_dr": "Mu2_dRtriggerMatch_2017",
    } | {
        f"{part}_{field}": f"{prefix}_{field.capitalize()}"
        for part, prefix in (
            ("mu1", "Mu01"), ("mu2", "Mu02"), ("track", "Tr"),
            ("refit1", "RefTrack1"), ("refit2", "RefTrack2"),
        )
        for field in ("pt", "eta", "phi")
    },
}  # fmt: skip

Objects = list[list[dict[str, Any]]]


def write_nano(path: Path, events: int, seed: int = 1) -> Path:
    """Write a TTree in the layout ``nano``."""
    scalars, collections = _events(events, seed)
    content: dict[str, Any] = dict(scalars)
    for name, fields in _FIELDS.items():
        content[name] = ak.zip(_columns(collections[name], fields))
    with uproot.recreate(path) as file:
        file.mktree("Events", {name: ak.type(ak.Array(v)) for name, v in content.items()})
        file["Events"].extend(content)
    return path


def write_bph(path: Path, events: int, seed: int = 1) -> Path:
    """Write an RNTuple of the names of the layout ``bph``: truth values are doubles there."""
    scalars, collections = _events(events, seed)
    names = {"run": "run", "luminosityBlock": "lumi", "event": "evt", "PV_npvs":
             "PVCollection_Size", "Pileup_nPU": "nPileUpInt"}  # fmt: skip
    content: dict[str, Any] = {names[k]: v for k, v in scalars.items() if k in names}
    for collection, fields in _FIELDS.items():
        columns = _columns(collections[collection], fields)
        for field, branch in BPH_NAMES[collection].items():
            kept = fields[field] == "float32" or field in AS_THEY_ARE
            content[branch] = columns[field] if kept else ak.values_astype(columns[field], float)
    content |= {name: scalars[name] for name in ("half", "hash", "seed")}
    rng = random.Random(seed + 2)
    content["Muon_label"] = ak.Array([[rng.choice(LABELS) for _ in m] for m in collections["Muon"]])
    content["label"] = ak.Array([rng.choice(LABELS) for _ in range(events)])
    content |= _trigger_lists(scalars, seed)
    with uproot.recreate(path) as file:
        file.mkrntuple("ntuple", content)
    return path


_FIELDS = {"Muon": NANO_MUON, "Track": NANO_TRACK, "triplet": NANO_TRIPLET}


def _events(events: int, seed: int) -> tuple[dict[str, Any], dict[str, Objects]]:
    rng = random.Random(seed)
    muons = [_objects(rng, (0, 1, 1, 2, 2, 3, 6), _muon) for _ in range(events)]
    tracks = [_objects(rng, (0, 1, 2, 3, 5), _track) for _ in range(events)]
    triplets = [
        _objects(rng, (0, 0, 1, 2, 3, 4, 9), lambda r, i=i: _triplet(r, muons[i], tracks[i]))
        for i in range(events)
    ]
    numbers = [rng.randint(0, 60) for _ in range(2 * events)]
    scalars = {
        "run": np.array([rng.choice((297050, 299000)) for _ in range(events)], np.uint32),
        "luminosityBlock": np.arange(events, dtype=np.uint32) // 7,
        "event": np.arange(events, dtype=np.uint64) + 4_294_967_290,
        "PV_npvs": np.array(numbers[:events], np.int32),
        "Pileup_nPU": np.array(numbers[events:], np.int32),
    }
    more = random.Random(seed + 3)
    scalars["half"] = np.array([more.randrange(2**16) for _ in range(events)], np.uint16)
    scalars["hash"] = np.array([_unsigned(more) for _ in range(events)], np.uint64)
    scalars["seed"] = np.array([_signed(more) for _ in range(events)], np.int64)
    for triplet in (triplet for listed in triplets for triplet in listed):
        triplet |= {"word": more.randrange(2**32), "code": _unsigned(more)}
    for muon in (muon for listed in muons for muon in listed):
        muon |= {"flags": more.randrange(2**8), "mask": more.randint(-(2**31), 2**31 - 1),
                 "code": _unsigned(more), "serial": _signed(more)}  # fmt: skip
    for path in (*PATHS, *SEEDS):
        scalars[path] = np.array([rng.random() < 0.6 for _ in range(events)])
    return scalars, {"Muon": muons, "Track": tracks, "triplet": triplets}


def _objects(
    rng: random.Random, sizes: Sequence[int], make: Callable[[random.Random], dict[str, Any]]
) -> list[dict[str, Any]]:
    return [make(rng) for _ in range(rng.choice(sizes))]


def _hard(rng: random.Random, low: float, high: float, *favourites: float) -> float:
    """Return a number between low and high, or a favourite, or what breaks comparisons."""
    kind = rng.random()
    if kind < 0.55:
        return rng.uniform(low, high)
    return rng.choice(favourites) if kind < 0.9 else rng.choice((math.nan, 0.0, -0.0, low, high))


def _unsigned(rng: random.Random) -> int:
    return rng.choice((rng.choice(SIZES), rng.choice(LARGE), rng.randrange(2**64)))


def _signed(rng: random.Random) -> int:
    return rng.choice((rng.choice(SIZES), -rng.choice(SIZES), -(2**63), rng.randrange(8)))


def _momentum(rng: random.Random) -> dict[str, Any]:
    return {
        "pt": _hard(rng, 1.0, 12.0, 2.0, 3.5, 3.5, 0.1, 5.25),
        "eta": _hard(rng, -2.5, 2.5, 0.0, 1.2, -1.2, 2.4),
        "phi": _hard(rng, -math.pi, math.pi, math.pi, -math.pi, 0.0),
    }


def _muon(rng: random.Random) -> dict[str, Any]:
    flags = {name: rng.random() < 0.75 for name in ("isGlobal", "isPF", "isSoft", "isTracker")}
    return _momentum(rng) | {"charge": rng.choice((-1, 1))} | flags


def _track(rng: random.Random) -> dict[str, Any]:
    return _momentum(rng) | {
        "charge": rng.choice((-1, 0, 1)),
        "dz": _hard(rng, -25.0, 25.0, 20.0, -20.0),
        "dxy": _hard(rng, -0.5, 0.5, 0.3, math.inf, -math.inf),
    }


def _triplet(
    rng: random.Random, muons: list[dict[str, Any]], tracks: list[dict[str, Any]]
) -> dict[str, Any]:
    fields = _momentum(rng) | {
        "charge": rng.choice((-1, 1)),
        "mass": _hard(rng, 1.5, 2.2, 1.62, 2.02, 1.97, math.inf),
        "vertex_chi2": _hard(rng, 0.0, 15.0, 1.0, 1.0, 2.0),
        "pv_ntracks": rng.randint(0, 5),
        "flight_significance": _hard(rng, 0.0, 8.0, 2.0, 4.0, -math.inf),
    }
    for part in ("mu1", "mu2", "track", "refit1", "refit2"):
        fields |= {f"{part}_{name}": value for name, value in _momentum(rng).items()}
    for part, listed in (("mu1", muons), ("mu2", muons), ("track", tracks)):
        fields[f"{part}_idx"] = rng.randint(-2, len(listed) + 1)
        if listed and rng.random() < 0.7:
            own = rng.choice(listed)["pt"]
            fields[f"{part}_pt"] = float(np.float32(own)) if listed is muons else own
        if part != "track":
            fields[f"{part}_trigger_dr"] = _hard(rng, 0.0, 0.06, 0.03, 999.0)
    return fields


def _columns(objects: Objects, fields: dict[str, str]) -> dict[str, ak.Array]:
    counts = [len(each) for each in objects]
    return {
        name: ak.unflatten(np.array([o[name] for each in objects for o in each], dtype), counts)
        for name, dtype in fields.items()
    }


def _trigger_lists(scalars: dict[str, Any], seed: int) -> dict[str, ak.Array]:
    """Return names and decisions as lists that differ in content and order from event to event."""
    rng = random.Random(seed + 1)
    lists: dict[str, list[Any]] = {}
    for menu, names, version in (("hlt", PATHS, "_v{}"), ("l1", SEEDS, "")):
        lists[f"Trigger_{menu}name"], lists[f"Trigger_{menu}decision"] = [], []
        for i in range(len(scalars["run"])):
            listed = rng.sample(names, rng.choice((3, 3, 3, 2, 1)))
            version_now = version.format(rng.choice((2, 13)))
            lists[f"Trigger_{menu}name"].append([name + version_now for name in listed])
            lists[f"Trigger_{menu}decision"].append([int(scalars[name][i]) for name in listed])
    return {
        name: ak.values_astype(ak.Array(values), np.int32) if "decision" in name
        else ak.Array(values)
        for name, values in lists.items()
    }  # fmt: skip
