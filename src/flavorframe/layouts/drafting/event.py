"""The event: values that all ntuples have, trigger decisions, rows that are candidates, units."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import numpy as np

from flavorframe._rootio.arrays import Array
from flavorframe._rootio.schema import fold
from flavorframe.layouts.base import RowsRule
from flavorframe.layouts.drafting.look import Look
from flavorframe.layouts.drafting.words import after_prefix, prefix
from flavorframe.layouts.naming import snake
from flavorframe.layouts.triggers import Trigger

SPELLINGS = {
    "experiment": ("experiment", "exp"),
    "run": ("run", "runnumber", "runnr", "runnum", "runid", "evtrun", "runno", "nrun", "irun"),
    "luminosity_block": (
        "luminosityblock", "lumi", "lumiblock", "lumisection", "lbn", "ls", "lumisec", "luminumber",
        "lumiblocknumber", "lumiblocknum", "luminosityblocknumber", "evtlumi",
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
MOMENTA = ("p", "pt", "px")
ENOUGH_EVENTS = 30
MEV = 500.0
"""A typical pt or mass above it is in MeV: in GeV there are few candidates like that."""


def find_values(look: Look) -> dict[str, str]:
    """Return the event's values that have a name in all layouts, with their branches."""
    found: dict[str, str] = {}
    for name, spellings in SPELLINGS.items():
        known = {_bare(branch): branch for branch in reversed(look.scalars)}
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
    told = any(fold(branch) in CANDIDATES for branch in look.scalars)
    if look.lists and not told:
        return None
    columns = [look.values(branch) for branch in key]
    repeated = np.all([column[1:] == column[:-1] for column in columns], axis=0)
    if not told and not repeated.any():
        return None
    values_of_event = (*values.values(), *_constant(look, repeated, {*values.values()}))
    return RowsRule(key, "candidate", values_of_event)


def _constant(look: Look, repeated: Array, known: set[str]) -> list[str]:
    """Return what is the same on all rows of an event, and not in all events.

    Candidates of one event may share a particle, so what belongs to one is not of the event.
    """
    if repeated.sum() < ENOUGH_EVENTS:
        return []
    particles = {prefix(b) for b in look.scalars if after_prefix(b).lower() in MOMENTA}
    return [
        branch
        for branch in look.scalars
        if branch not in known
        and prefix(branch) not in particles
        and fold(branch) not in CANDIDATES[:2]
        and _is_constant(look.values(branch), repeated)
    ]


def _is_constant(values: Array, repeated: Array) -> bool:
    same = values[1:] == values[:-1]
    return bool(same[repeated].all() and not same.all())


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
        if snake(branch).rpartition("_")[2] in ("pt", "mass", "m") and _is_decimal(look, branch):
            values = look.values(branch)
            size = np.abs(values[np.isfinite(values) & (values != 0)])
            if len(size):
                middle = float(np.median(size))
                unit = "MeV" if middle > MEV else "GeV"
                return unit, f"a guess: half of {branch} is above {middle:.4g}"
    return "GeV", "a guess"


def _is_decimal(look: Look, branch: str) -> bool:
    return look.schema.by_name[branch].kind == "float"
