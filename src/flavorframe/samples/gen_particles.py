"""The generated particles of simulation as NanoAOD lists them, with copies and mothers by index."""

from __future__ import annotations

import numpy as np

from flavorframe.samples.collisions import Collisions
from flavorframe.samples.detector import Particles
from flavorframe.samples.kinematics import FourVector
from flavorframe.samples.record import Array, Decay

#: What each event has: the parent and its last copy, and what it decays into. Of each its mother's
#: place in the list, its number in the scheme of the Particle Data Group where the parent is
#: positive, and whether it is its own antiparticle.
LISTS: dict[Decay, tuple[tuple[int, int, bool], ...]] = {
    "dsphipi": (
        (-1, 431, False), (0, 431, False), (1, 333, True), (2, -13, False), (2, 13, False),
        (1, 211, False),
    ),
    "tau3mu": ((-1, -15, False), (0, -15, False), (1, -13, False), (1, 13, False), (1, -13, False)),
}  # fmt: skip

#: Where the two muons of the dimuon and the third particle are in the list.
PLACES: dict[Decay, tuple[int, int, int]] = {"dsphipi": (3, 4, 5), "tau3mu": (2, 3, 4)}

#: Bits of ``statusFlags``.
FIRST_COPY, LAST_COPY = 1 << 12, 1 << 13


def gen_particle_columns(truth: Collisions) -> dict[str, Array]:
    """One value a generated particle, of events of signal; those of an event follow each other."""
    listed = LISTS[truth.decay]
    momenta = _momenta(truth)
    mothers, numbers, _ = (np.array(column) for column in zip(*listed, strict=True))
    signs = [np.ones_like(truth.charge) if own else truth.charge for _, _, own in listed]
    final = np.isin(np.arange(len(listed)), PLACES[truth.decay])
    flags = np.full(len(listed), FIRST_COPY | LAST_COPY)
    flags[:2] = FIRST_COPY, LAST_COPY
    size = len(truth.process)
    return {
        **{name: _in_lists([getattr(p, name) for p in momenta]) for name in ("pt", "eta", "phi")},
        "mass": _in_lists([p.mass for p in momenta]),
        "pdgId": _in_lists(signs) * np.tile(numbers, size),
        "genPartIdxMother": np.tile(mothers, size),
        "status": np.tile(np.where(final, 1, 2), size),
        "statusFlags": np.tile(flags, size),
    }


def muon_gen_index(muons: Particles, decay: Decay) -> Array:
    """The place in the list of what each muon was measured of, −1 for those of no decay."""
    first, second, third = PLACES[decay]
    return np.select(
        [muons.role == 0, muons.role == 1, muons.role == 5], [first, second, third], -1
    )


def track_gen_index(tracks: Particles, truth: Collisions) -> Array:
    """The place in the list of what each track was measured of, −1 for those of no decay."""
    first, second, third = PLACES[truth.decay]
    is_first = tracks.charge == truth.charge[tracks.event]
    of_muon = np.where(is_first, first, second)
    return np.select(
        [tracks.role == 0, tracks.role == 1], [np.full(len(tracks), third), of_muon], -1
    )


def _momenta(truth: Collisions) -> list[FourVector]:
    parent = truth.dimuon + truth.third
    between = [truth.dimuon] if truth.decay == "dsphipi" else []
    return [parent, parent, *between, *truth.muons, truth.third]


def _in_lists(columns: list[Array]) -> Array:
    """Put the values of the first, second, … particle of all events event by event."""
    return np.stack(columns, axis=1).ravel()
