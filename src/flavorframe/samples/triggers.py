"""The trigger: which paths and seeds a run has, and which of them an event fires."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flavorframe.samples.candidates import Candidates
from flavorframe.samples.detector import Particles
from flavorframe.samples.record import Array

#: High-level paths, without version: the analysis' own, two that only look like it, and others.
HLT_PATHS = (
    "HLT_DoubleMu3_Trk_Tau3mu",
    "HLT_DoubleMu3_Trk_Tau3mu_NoL1Mass",
    "HLT_DoubleMu3_TkMu_DsTau3Mu",
    "HLT_DoubleMu4_3_Jpsi_Displaced",
    "HLT_Dimuon0_LowMass",
    "HLT_Mu8",
    "HLT_Mu17",
    "HLT_IsoMu27",
)

ANALYSIS_PATH = HLT_PATHS[0]

#: Stored for ΔR to a trigger muon where the event has none.
NO_MATCH = 999.0

#: Level-1 seeds; the last two do not start the analysis' path.
L1_SEEDS = (
    "L1_DoubleMu0er1p5_SQ_OS_dR_Max1p4",
    "L1_DoubleMu0er1p4_SQ_OS_dR_Max1p4",
    "L1_DoubleMu4_SQ_OS_dR_Max1p2",
    "L1_DoubleMu4p5_SQ_OS_dR_Max1p2",
    "L1_TripleMu_5_3_0_DoubleMu_5_3_OS_Mass_Max17",
    "L1_TripleMu_5SQ_3SQ_0_DoubleMu_5_3_SQ_OS_Mass_Max9",
    "L1_SingleMu22",
    "L1_ETM110",
)
ANALYSIS_SEEDS = L1_SEEDS[:-2]

#: Runs [first, last) in which a path or seed is not in the menu.
ABSENT = {
    "HLT_DoubleMu3_Trk_Tau3mu": (297047, 297100),
    "HLT_DoubleMu3_Trk_Tau3mu_NoL1Mass": (297047, 298500),
    "HLT_DoubleMu3_TkMu_DsTau3Mu": (297047, 299368),
    "HLT_Dimuon0_LowMass": (304100, 305500),
    "L1_DoubleMu0er1p5_SQ_OS_dR_Max1p4": (297047, 298000),
    "L1_TripleMu_5SQ_3SQ_0_DoubleMu_5_3_SQ_OS_Mass_Max9": (297047, 300200),
}

#: Level-1 seeds that keep only one in so many events.
PRESCALES = {"L1_ETM110": 20, "L1_SingleMu22": 2}

#: First run of each version of the menu; the first, _v2, is the simulation's.
FIRST_RUNS = np.array([0, 297047, 298500, 300200, 302031, 304100, 305500])


class Menu(NamedTuple):
    """The paths and seeds of a run, in the order in which its events list them."""

    hlt: tuple[str, ...]
    l1: tuple[str, ...]
    version: int

    @property
    def versioned(self) -> tuple[str, ...]:
        """The paths with the version that they have in this run."""
        return tuple(f"{path}_v{self.version}" for path in self.hlt)


def menu(run: int) -> Menu:
    """Return the menu of a run.

    >>> menu(297050).hlt[0], menu(297050).version
    ('HLT_DoubleMu4_3_Jpsi_Displaced', 3)
    """
    period = int(np.searchsorted(FIRST_RUNS, run, side="right")) - 1
    return Menu(_present(HLT_PATHS, run, period), _present(L1_SEEDS, run, period), period + 2)


def prescale(seed: str) -> int:
    """Return how many events a Level-1 seed lets pass for one that it keeps."""
    return PRESCALES.get(seed, 1)


def _present(names: tuple[str, ...], run: int, period: int) -> tuple[str, ...]:
    # Each period begins its list elsewhere, so that no reader can rely on positions.
    rotated = names[period:] + names[:period]
    return tuple(name for name in rotated if not _absent(name, np.asarray(run)))


def _absent(name: str, run: Array) -> Array:
    first, last = ABSENT.get(name, (0, 0))
    return (first <= run) & (run < last)


class Trigger(NamedTuple):
    """The decisions of each path and seed, one boolean an event."""

    hlt: dict[str, Array]
    l1: dict[str, Array]


def decide(
    rng: np.random.Generator,
    run: Array,
    muons: Particles,
    found: Candidates,
    significance: Array,
) -> Trigger:
    """Fire the trigger of events, given their runs, muons and candidates.

    ``significance`` is each candidate's flight significance.
    """
    seen = _see(muons, len(run))
    l1 = _draw(rng, run, _l1_chances(seen))
    seeded = np.any([l1[name] for name in ANALYSIS_SEEDS], axis=0)
    wanted = np.bincount(found.event, _is_wanted(muons, found, significance), len(run)) > 0
    return Trigger(_draw(rng, run, _hlt_chances(seen, seeded, wanted)), l1)


def match(rng: np.random.Generator, muons: Particles, hlt: dict[str, Array]) -> dict[str, Array]:
    """ΔR between each muon and the nearest muon of the analysis' path, and of any path."""
    return {
        "trigger_dr": _distance(rng, muons, hlt[ANALYSIS_PATH]),
        "any_trigger_dr": _distance(rng, muons, np.any(list(hlt.values()), axis=0)),
    }


def _distance(rng: np.random.Generator, muons: Particles, fired: Array) -> Array:
    size = len(muons)
    used = (rng.random(size) < 0.97) & np.isin(muons.role, (0, 1, 2, 5)) & (muons.pt > 2.8)
    nearest = np.where(used, rng.rayleigh(0.005, size), rng.uniform(0.02, 3.0, size))
    return np.where(fired[muons.event], nearest, NO_MATCH)


class _Seen(NamedTuple):
    """What the trigger sees of an event's dimuon; nothing, zero, where a muon was lost."""

    soft_pt: Array
    hard_pt: Array
    max_eta: Array
    muons: Array


def _see(muons: Particles, events: int) -> _Seen:
    one, two = muons.of_role(0, events), muons.of_role(1, events)
    both = (one >= 0) & (two >= 0)
    pts, etas = muons.pt[[one, two]] * both, abs(muons.eta[[one, two]])
    number = np.bincount(muons.event, minlength=events)
    return _Seen(pts.min(axis=0), pts.max(axis=0), np.where(both, etas.max(axis=0), 9.0), number)


def _is_wanted(muons: Particles, found: Candidates, significance: Array) -> Array:
    # The Tau3mu path: two muons above 3 GeV, a track above 1.2, a displaced vertex, a mass window.
    mass = found.triplet.mass
    return (
        (muons.pt[found.mu2] > 2.9)
        & (found.refitted[2].pt > 1.2)
        & (significance > 1.8)
        & (mass > 1.58)
        & (mass < 2.06)
    )


def _l1_chances(seen: _Seen) -> dict[str, Array]:
    three = seen.muons > 2
    return {
        "L1_DoubleMu0er1p5_SQ_OS_dR_Max1p4": 0.93 * (seen.max_eta < 1.5),
        "L1_DoubleMu0er1p4_SQ_OS_dR_Max1p4": 0.93 * (seen.max_eta < 1.4),
        "L1_DoubleMu4_SQ_OS_dR_Max1p2": 0.92 * (seen.soft_pt > 3.8),
        "L1_DoubleMu4p5_SQ_OS_dR_Max1p2": 0.92 * (seen.soft_pt > 4.3),
        "L1_TripleMu_5_3_0_DoubleMu_5_3_OS_Mass_Max17": 0.1 + 0.4 * three,
        "L1_TripleMu_5SQ_3SQ_0_DoubleMu_5_3_SQ_OS_Mass_Max9": 0.05 + 0.4 * three,
        "L1_SingleMu22": 0.02 + 0.9 * (seen.hard_pt > 22),
        "L1_ETM110": 0.01 + 0.0 * three,
    }


def _hlt_chances(seen: _Seen, seeded: Array, wanted: Array) -> dict[str, Array]:
    tau3mu = np.where(seeded, 0.90, 0.12) * wanted + 0.03
    return {
        "HLT_DoubleMu3_Trk_Tau3mu": tau3mu,
        "HLT_DoubleMu3_Trk_Tau3mu_NoL1Mass": 0.95 * tau3mu,
        "HLT_DoubleMu3_TkMu_DsTau3Mu": 0.25 * tau3mu,
        "HLT_DoubleMu4_3_Jpsi_Displaced": 0.02 + 0.08 * (seen.soft_pt > 3),
        "HLT_Dimuon0_LowMass": 0.05 + 0.15 * (seen.hard_pt > 4),
        "HLT_Mu8": 0.01 + 0.2 * (seen.hard_pt > 8),
        "HLT_Mu17": 0.002 + 0.4 * (seen.hard_pt > 17),
        "HLT_IsoMu27": 0.3 * (seen.hard_pt > 27),
    }


def _draw(rng: np.random.Generator, run: Array, chance: dict[str, Array]) -> dict[str, Array]:
    return {name: (rng.random(len(run)) < p) & ~_absent(name, run) for name, p in chance.items()}
