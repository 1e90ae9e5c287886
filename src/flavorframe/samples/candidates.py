"""Two muons and a track: every combination that an event offers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flavorframe.samples.collisions import MUON_MASS, PION_MASS, Collisions
from flavorframe.samples.detector import Particles
from flavorframe.samples.kinematics import FourVector, from_pt_eta_phi
from flavorframe.samples.record import Array

#: Candidates outside this mass range are not kept by the skim [GeV].
SKIM_MASS = (1.45, 2.35)

#: What the vertex fit changes: relative pt, and angles [rad].
PULL_PT, PULL_ANGLE = 0.001, 0.0002


@dataclass(frozen=True)
class Candidates:
    """The parts of each candidate: its event, rows of its muons and track, momenta after the fit.

    ``mu1`` is the harder muon. Candidates of an event are neighbours.
    """

    event: Array
    mu1: Array
    mu2: Array
    track: Array
    truth: Array
    refitted: tuple[FourVector, FourVector, FourVector]

    @property
    def triplet(self) -> FourVector:
        """The momentum of the candidate: the sum of the refitted ones."""
        return self.refitted[0] + self.refitted[1] + self.refitted[2]


def combine(
    rng: np.random.Generator, truth: Collisions, muons: Particles, tracks: Particles
) -> Candidates:
    """Pair the dimuon with each track near it, and its first muon with a third, and fit them.

    Only what the skim's mass range keeps is returned.
    """
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
    return _fit(rng, truth, muons, tracks, (one[order], other[order], track[order]))


def _fit(
    rng: np.random.Generator,
    truth: Collisions,
    muons: Particles,
    tracks: Particles,
    parts: tuple[Array, Array, Array],
) -> Candidates:
    # Muons are sorted by pt within an event, so the lower row is the harder one.
    mu1, mu2, track = np.minimum(*parts[:2]), np.maximum(*parts[:2]), parts[2]
    refitted = (
        _pulled(rng, muons[mu1], MUON_MASS),
        _pulled(rng, muons[mu2], MUON_MASS),
        _pulled(rng, tracks[track], PION_MASS),
    )
    mass = (refitted[0] + refitted[1] + refitted[2]).mass
    kept = np.flatnonzero((SKIM_MASS[0] < mass) & (mass < SKIM_MASS[1]))
    mu1, mu2, track = mu1[kept], mu2[kept], track[kept]
    label = _label(truth, muons[mu1], muons[mu2], tracks[track])
    first, second, third = (vector[kept] for vector in refitted)
    return Candidates(tracks.event[track], mu1, mu2, track, label, (first, second, third))


def _label(truth: Collisions, mu1: Particles, mu2: Particles, track: Particles) -> Array:
    process = truth.process[track.event]
    phi = (process > 0) & (mu1.role < 2) & (mu2.role < 2)
    # A φ from a D with another track than the D's pion is a φ with a random track.
    return np.where(phi, np.where(track.role == 0, process, 3), 0)


def _pulled(rng: np.random.Generator, particles: Particles, mass: float) -> FourVector:
    pull = rng.standard_normal((3, len(particles)))
    return from_pt_eta_phi(
        particles.pt * (1 + PULL_PT * pull[0]),
        particles.eta + PULL_ANGLE * pull[1],
        particles.phi + PULL_ANGLE * pull[2],
        mass,
    )
