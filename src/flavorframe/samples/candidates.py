"""Two muons and a track, or three muons: every combination that an event offers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from flavorframe.samples.collisions import MUON_MASS, SIGNAL, THIRD_MASS, Collisions
from flavorframe.samples.detector import Particles
from flavorframe.samples.kinematics import FourVector, from_pt_eta_phi
from flavorframe.samples.record import Array

#: Candidates outside this mass range are not kept by the skim [GeV].
SKIM_MASS = (1.45, 2.35)

#: What the vertex fit changes: relative pt, and angles [rad].
PULL_PT, PULL_ANGLE = 0.001, 0.0002


@dataclass(frozen=True)
class Candidates:
    """The parts of each candidate: its event, rows of its particles, momenta after the fit.

    ``third`` is a row of the tracks, or for τ → 3μ of the muons. Muons are by falling pt.
    Candidates of an event are neighbours.
    """

    event: Array
    mu1: Array
    mu2: Array
    third: Array
    truth: Array
    refitted: tuple[FourVector, FourVector, FourVector]

    @property
    def triplet(self) -> FourVector:
        """The momentum of the candidate: the sum of the refitted ones."""
        return self.refitted[0] + self.refitted[1] + self.refitted[2]


def combine(
    rng: np.random.Generator, truth: Collisions, muons: Particles, tracks: Particles
) -> Candidates:
    """Combine the particles of events in all ways that the decay allows, and fit them.

    Only what the skim's mass range keeps is returned.
    """
    if truth.decay == "tau3mu":
        return _fit(rng, truth, muons, muons, _triples(muons))
    return _fit(rng, truth, muons, tracks, _with_tracks(rng, truth, muons, tracks))


def _with_tracks(
    rng: np.random.Generator, truth: Collisions, muons: Particles, tracks: Particles
) -> tuple[Array, Array, Array]:
    """The dimuon with each track near it, and its first muon with a third one."""
    near = np.flatnonzero(tracks.role < 3)
    first, second, third = (
        muons.of_role(role, len(truth.process))[tracks.event[near]] for role in range(3)
    )
    swapped = (tracks.role[near] == 2) & (rng.random(len(near)) < 0.5)
    track = np.concatenate([near, near[swapped]])
    one = np.concatenate([first, first[swapped]])
    other = np.concatenate([second, third[swapped]])
    # Neighbours by event; without a muon (row -1) there is no candidate.
    order = np.argsort(tracks.event[track], kind="stable")
    order = order[np.minimum(one, other)[order] >= 0]
    return one[order], other[order], track[order]


def _triples(muons: Particles) -> tuple[Array, Array, Array]:
    """All triples of an event's muons, by falling pt, without those made to have equal pt."""
    rows = np.flatnonzero(muons.role != 4)
    first = np.searchsorted(muons.event[rows], muons.event[rows])
    place = np.arange(len(rows)) - first
    size = np.bincount(first, minlength=len(rows))
    starts = np.flatnonzero(place == 0)
    found = [
        rows[starts[size[starts] > three[-1], None] + three]
        for three in combinations(range(int(size.max(initial=0))), 3)
    ]
    triples = np.concatenate([np.empty((0, 3), int), *found])
    one, two, three = triples[np.argsort(muons.event[triples[:, 0]], kind="stable")].T
    return one, two, three


def _fit(
    rng: np.random.Generator,
    truth: Collisions,
    muons: Particles,
    thirds: Particles,
    parts: tuple[Array, Array, Array],
) -> Candidates:
    # Muons are sorted by pt within an event, so the lower row is the harder one.
    mu1, mu2, third = np.minimum(*parts[:2]), np.maximum(*parts[:2]), parts[2]
    refitted = (
        _pulled(rng, muons[mu1], MUON_MASS),
        _pulled(rng, muons[mu2], MUON_MASS),
        _pulled(rng, thirds[third], THIRD_MASS[truth.decay]),
    )
    mass = (refitted[0] + refitted[1] + refitted[2]).mass
    kept = np.flatnonzero((SKIM_MASS[0] < mass) & (mass < SKIM_MASS[1]))
    mu1, mu2, third = mu1[kept], mu2[kept], third[kept]
    particles = muons[mu1], muons[mu2], thirds[third]
    if truth.decay == "tau3mu":
        label = _label_of_muons(truth, *particles)
    else:
        label = _label(truth, *particles)
    one, two, three = (vector[kept] for vector in refitted)
    return Candidates(muons.event[mu1], mu1, mu2, third, label, (one, two, three))


def _label(truth: Collisions, mu1: Particles, mu2: Particles, track: Particles) -> Array:
    process = truth.process[track.event]
    phi = (process > 0) & (mu1.role < 2) & (mu2.role < 2)
    # A φ from a D with another track than the D's pion is a φ with a random track.
    return np.where(phi, np.where(track.role == 0, process, 3), 0)


def _label_of_muons(truth: Collisions, *muons: Particles) -> Array:
    process, signal = truth.process[muons[0].event], SIGNAL["tau3mu"]
    of_dimuon = np.sum([muon.role < 2 for muon in muons], axis=0)
    of_decay = of_dimuon + np.sum([muon.role == 5 for muon in muons], axis=0)
    is_tau = (process == signal) & (of_decay == 3)
    is_phi = (process == 3) & (of_dimuon == 2)
    return np.select([is_tau, is_phi], [signal, 3], 0)


def _pulled(rng: np.random.Generator, particles: Particles, mass: float) -> FourVector:
    pull = rng.standard_normal((3, len(particles)))
    return from_pt_eta_phi(
        particles.pt * (1 + PULL_PT * pull[0]),
        particles.eta + PULL_ANGLE * pull[1],
        particles.phi + PULL_ANGLE * pull[2],
        mass,
    )
