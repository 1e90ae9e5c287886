"""The columns that are stored: of events, muons, tracks, and candidates with copies of both."""

from __future__ import annotations

import numpy as np

from flavorframe.samples.candidates import Candidates
from flavorframe.samples.collisions import MUON_MASS, PARENT_CTAU, SIGNAL, Collisions
from flavorframe.samples.detector import Particles
from flavorframe.samples.eras import Era, draw_runs
from flavorframe.samples.kinematics import FourVector
from flavorframe.samples.record import Array, Collection, Decay, Kind
from flavorframe.samples.schema import COLLECTIONS, SCALARS

#: Events of a luminosity section, which has one run, that are on file.
EVENTS_PER_SECTION = 100

#: Spread of the mean number of interactions in data, and share of them that give a vertex.
PILEUP_SPREAD, VERTEX_EFFICIENCY = 7.0, 0.7

#: Simulation's guess of the interactions, made before the data are taken: gamma mean and shape.
SIMULATED_PILEUP, SIMULATED_PILEUP_SHAPE = 32.0, 6.0

#: Share of simulated events with a negative weight, as next-to-leading-order generators give.
NEGATIVE_WEIGHTS = 0.05

#: Efficiency of the global-muon identification in simulation, |η| < 1.2 and beyond; the factor
#: for data; and the one for muons that are not of a φ or τ.
GLOBAL_EFFICIENCY = (0.95, 0.92)
DATA_OVER_SIMULATION = (0.97, 0.94)
FAKE_FACTOR = 0.80

#: Share of tracks far from the beam, mismeasured or from strange hadrons; times their error.
STRAY_TRACKS, STRAY_FACTOR = 0.016, 40.0

#: Distance of closest approach of the nearest other track to a true vertex, and to another [cm].
TRACK_DISTANCE, TRACK_DISTANCE_OF_RANDOM = 0.08, 0.03

_COPIED_MUON = ("pt", "eta", "phi", "dxy", "dxyErr", "idx", "trigger_dr", "any_trigger_dr")
_COPIED_TRACK = ("pt", "eta", "phi", "dxy", "idx")


def scalar_columns(
    rng: np.random.Generator, era: Era, kind: Kind, number: Array
) -> dict[str, Array]:
    """One value an event, for events of these numbers; weights in simulation only."""
    size = len(number)
    if kind == "data":
        mean = rng.normal(era.pileup, PILEUP_SPREAD, size).clip(1.0)
        runs = draw_runs(rng, era, size // EVENTS_PER_SECTION)
        own = {"run": runs.repeat(EVENTS_PER_SECTION)}
    else:
        shape = SIMULATED_PILEUP_SHAPE
        mean = rng.gamma(shape, SIMULATED_PILEUP / shape, size)
        own = {"run": np.ones(size), "genWeight": _weights(rng, size)}
    interactions = rng.poisson(mean)
    columns = own | {
        "luminosityBlock": 1 + number // EVENTS_PER_SECTION,
        "event": 1 + number,
        "PV_npvs": 1 + rng.binomial(interactions, VERTEX_EFFICIENCY),
        "Pileup_nPU": interactions * (kind == "simulation"),
    }
    return {f.name: columns[f.name].astype(f.dtype) for f in SCALARS if f.name in columns}


def muon_columns(
    rng: np.random.Generator, muons: Particles, listed: Array, truth: Collisions, kind: Kind
) -> dict[str, Array]:
    """One value a muon, whether ``listed`` or not; ``idx`` is its place in the list."""
    size = len(muons)
    momentum = muons.pt.astype(float) * np.cosh(muons.eta.astype(float))
    is_global = rng.random(size) < _global_efficiency(muons, truth, kind)
    is_tracker = is_global | (rng.random(size) < 0.95)
    is_pf = rng.random(size) < np.where(is_global, 0.985, 0.35)
    return {
        "pt": muons.pt,
        "eta": muons.eta,
        "phi": muons.phi,
        "energy": np.hypot(momentum, MUON_MASS),
        "charge": muons.charge,
        "dxy": (0.003 + 0.1 * truth.flight[muons.event]) * rng.standard_normal(size),
        "dxyErr": 0.002 + 0.006 / muons.pt.astype(float),
        "idx": muons.position(listed),
        "isGlobal": is_global,
        "isPF": is_pf,
        "isSoft": is_tracker & (rng.random(size) < 0.96),
        "isLoose": is_pf & is_tracker,
        "isTracker": is_tracker,
        "isStandalone": is_global | (rng.random(size) < 0.3),
        "nStations": np.where(is_global, 2 + rng.binomial(2, 0.5, size), 1),
        "nTrackerLayers": 7 + rng.binomial(9, 0.65, size),
    }


def track_columns(
    rng: np.random.Generator, tracks: Particles, truth: Collisions, pv: Array
) -> dict[str, Array]:
    """One value a track; impact parameters are with respect to the beam [cm]."""
    size = len(tracks)
    dxy_error = 0.002 + 0.006 / tracks.pt * rng.uniform(0.7, 1.3, size)
    dz_error = dxy_error * (1.2 + tracks.eta**2)
    far = np.where(rng.random(size) < STRAY_TRACKS, STRAY_FACTOR, 1.0)
    flown = 0.15 * truth.flight[tracks.event] * (tracks.role == 0)
    return {
        "pt": tracks.pt,
        "eta": tracks.eta,
        "phi": tracks.phi,
        "charge": tracks.charge,
        "idx": tracks.position(np.ones(size, bool)),
        "dz": pv[tracks.event, 2] + 6 * far * dz_error * rng.standard_normal(size),
        "dxy": (far * dxy_error + flown) * rng.standard_normal(size),
        "dzErr": dz_error,
        "dxyErr": dxy_error,
        "normalizedChi2": rng.chisquare(16, size) / 16,
    }


def triplet_columns(
    rng: np.random.Generator,
    found: Candidates,
    muon: dict[str, Array],
    track: dict[str, Array],
    decay: Decay,
) -> dict[str, Array]:
    """One value a candidate, except for what its vertex gives.

    ``muon`` and ``track`` are the columns of all particles, which the rows of ``found`` refer to.
    """
    first, second, third = found.refitted
    other, name, copied = (
        (muon, "mu3", _COPIED_MUON) if decay == "tau3mu" else (track, "track", _COPIED_TRACK)
    )
    charges = muon["charge"][found.mu1], muon["charge"][found.mu2], other["charge"][found.third]
    return {
        "mass": found.triplet.mass,
        **_coordinates("", found.triplet),
        "charge": np.sum(charges, axis=0),
        "relative_isolation": rng.gamma(0.8, 0.4, len(found.event)),
        "truth": found.truth,
        **_copied("mu1", muon, found.mu1, _COPIED_MUON),
        **_copied("mu2", muon, found.mu2, _COPIED_MUON),
        **_copied(name, other, found.third, copied),
        **_coordinates("refit1_", first),
        **_coordinates("refit2_", second),
        **_coordinates("refit3_", third),
    }


def isolation_columns(
    rng: np.random.Generator, found: Candidates, significance: Array
) -> dict[str, Array]:
    """What only candidates of τ → 3μ have; ``significance`` is that of their flight in space."""
    genuine = np.isin(found.truth, list(PARENT_CTAU))
    scale = np.where(genuine, TRACK_DISTANCE, TRACK_DISTANCE_OF_RANDOM)
    return {
        "flight3d_chi2": np.square(significance),
        "mindca_iso": scale * rng.exponential(size=len(found.event)),
    }


def as_collection(
    name: str, decay: Decay, events: int, event: Array, columns: dict[str, Array]
) -> Collection:
    """Keep the columns of the schema, in its types; ``event`` says where each element belongs."""
    fields, _ = COLLECTIONS[decay][name]
    counts = np.bincount(event, minlength=events)
    return Collection(
        counts, {f.name: columns[f.name].astype(f.dtype) for f in fields if f.name in columns}
    )


def _weights(rng: np.random.Generator, size: int) -> Array:
    sign = np.where(rng.random(size) < NEGATIVE_WEIGHTS, -1.0, 1.0)
    return sign * rng.lognormal(0, 0.1, size)


def _global_efficiency(muons: Particles, truth: Collisions, kind: Kind) -> Array:
    central = abs(muons.eta) < 1.2
    process = truth.process[muons.event]
    genuine = (process > 0) & (muons.role < 2)
    genuine |= (process == SIGNAL["tau3mu"]) & (muons.role == 5)
    efficiency = np.where(central, *GLOBAL_EFFICIENCY) * np.where(genuine, 1.0, FAKE_FACTOR)
    if kind == "data":
        efficiency *= np.where(central, *DATA_OVER_SIMULATION)
    # A copied muon fails, so that taking it for the original shows in the counts.
    return np.where(muons.role == 4, 0.0, efficiency)


def _copied(
    prefix: str, columns: dict[str, Array], rows: Array, names: tuple[str, ...]
) -> dict[str, Array]:
    return {f"{prefix}_{name}": columns[name][rows] for name in names}


def _coordinates(prefix: str, momentum: FourVector) -> dict[str, Array]:
    return {
        f"{prefix}pt": momentum.pt,
        f"{prefix}eta": momentum.eta,
        f"{prefix}phi": momentum.phi,
    }
