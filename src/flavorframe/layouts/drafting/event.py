"""The event: values that all ntuples have, trigger decisions, rows that are candidates, units."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import numpy as np

from flavorframe._rootio.arrays import Array
from flavorframe._rootio.schema import fold
from flavorframe.layouts.base import RowsRule
from flavorframe.layouts.drafting.look import Look
from flavorframe.layouts.drafting.words import prefix, snake
from flavorframe.layouts.triggers import Trigger

SPELLINGS = {
    "experiment": ("experiment", "exp"),
    "run": ("run", "runnumber", "runnr", "runnum", "runid", "evtrun", "runno", "nrun", "irun"),
    "luminosity_block": (
        "luminosityblock", "lumi", "lumiblock", "lumisection", "lbn", "ls", "lumisec", "luminumber",
        "lumiblocknumber", "luminosityblocknumber", "evtlumi",
    ),
    "event": (
        "event", "evt", "eventnumber", "eventnr", "evtnum", "evtnumber", "eventid", "evtid",
        "evtnb", "ievent", "eventno", "evtevent",
    ),
    "n_primary_vertices": (
        "npvs", "npv", "nvtx", "nvertices", "nprimaryvertices", "pvnpvs", "pvcollectionsize",
        "numpv", "nprimvtx", "nvertex", "nrecopv",
    ),
    "n_pileup": (
        "pileupnpu", "npu", "npileup", "npileupint", "npileupinteractions", "ninteractions",
    ),
}  # fmt: skip
"""How branches are called, without case and underscores: CMS, ATLAS, LHCb, Belle II."""
CONTAINERS = ("eventinfo", "eventinfoaux", "eventinfoauxdyn", "recevent", "evt", "info")
CANDIDATES = ("candidate", "ncandidate", "totcandidates", "ncandidates")
"""Branches that only files with one row a candidate have."""
PATHS = {"hlt": ("HLT_*", "Hlt[12]*Decision", "trig_HLT_*"), "l1": ("L1_*", "L0*Decision")}
ENOUGH_EVENTS = 30
MEV = 500.0
"""A typical pt or mass above it is in MeV: in GeV there are few candidates like that."""


def find_values(look: Look) -> dict[str, str]:
    """Return the event's values that have a name in all layouts, with their branches."""
    found: dict[str, str] = {}
    for name, spellings in SPELLINGS.items():
        known = {_bare(branch): branch for branch in reversed(list(look.scalars))}
        branch = next((known[each] for each in spellings if each in known), None)
        if branch is not None:
            found[name] = branch
    return found


def _bare(branch: str) -> str:
    """Return the folded name of a branch, without what may contain it."""
    head, _, rest = branch.rpartition(".")
    return fold(rest if fold(head) in CONTAINERS else branch)


def find_rows(look: Look, values: Mapping[str, str]) -> RowsRule | None:
    """Return how rows are events, if rows that follow each other have the same key."""
    key = tuple(values[n] for n in ("experiment", "run", "event") if n in values)
    if "event" not in values or not look.events:
        return None
    repeated = np.all([np.diff(look.scalars[branch]) == 0 for branch in key], axis=0)
    told = any(fold(branch) in CANDIDATES for branch in look.scalars)
    if not told and (look.lists or not repeated.any()):
        return None
    values_of_event = (*values.values(), *_constant(look, repeated, {*values.values()}))
    return RowsRule(key, "candidate", values_of_event)


def _constant(look: Look, repeated: Array, known: set[str]) -> list[str]:
    """Return what is the same on all rows of an event, and not in all events."""
    if repeated.sum() < ENOUGH_EVENTS:
        return []
    return [
        branch
        for branch, values in look.scalars.items()
        if branch not in known
        and fold(branch) not in CANDIDATES[:2]
        and (values[1:] == values[:-1])[repeated].all()
        and (values != values[0]).any()
    ]


def find_triggers(look: Look) -> dict[str, Trigger]:
    """Return how trigger decisions are kept, by menu."""
    found: dict[str, Trigger] = {}
    for menu, patterns in PATHS.items():
        used = tuple(p for p in patterns if any(fnmatchcase(b, p) for b in look.scalars))
        names = _of_menu(look, menu, "string", "name")
        decisions = _of_menu(look, menu, "", "decision")
        if used:
            found[menu] = Trigger(branches=used)
        elif names and decisions:
            found[menu] = Trigger(names=names, decisions=decisions)
    return found


def _of_menu(look: Look, menu: str, kind: str, word: str) -> str:
    """Return the list of names, or of decisions, of a menu."""
    return next(
        (
            branch
            for branch in look.lists
            if menu in fold(branch)
            and word in fold(branch)
            and kind in ("", look.schema.by_name[branch].kind)
        ),
        "",
    )


def find_units(look: Look) -> tuple[str, str]:
    """Return the unit of energy, as far as the size of momenta tells it, and why."""
    for branch in (*look.lists, *look.scalars):
        last = snake(branch).rpartition("_")[2]
        numbers = look.numbers(branch) if last in ("pt", "mass", "m") else None
        if numbers is not None and len(numbers) and np.isfinite(numbers).any():
            middle = float(np.median(np.abs(numbers[np.isfinite(numbers)])))
            if middle > 0 and prefix(branch) != branch:
                unit = "MeV" if middle > MEV else "GeV"
                return unit, f"a guess: half of {branch} is above {middle:.4g}"
    return "GeV", "a guess"
