"""What really happened: the particles of each collision, before any detector (GeV, cm)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flavorframe.samples.kinematics import FourVector, around, boosted, from_pt_eta_phi, two_body
from flavorframe.samples.record import Array, Kind

#: Masses, width and c·lifetimes: Particle Data Group, Review of Particle Physics.
MUON_MASS = 0.1056583755
PION_MASS = 0.13957039
PHI_MASS, PHI_WIDTH = 1.019461, 0.004249
PARENT_MASS = {1: 1.96835, 2: 1.86966}
PARENT_CTAU = {1: 0.0151, 2: 0.0312}

#: Share of each process in data: 0 combinatorial, 1 Ds, 2 D+, 3 a φ and a random track.
DATA_MIXTURE = (0.4916, 0.0290, 0.0094, 0.4700)

#: Dimuon mass of the combinatorial process: uniform, about the φ that the skim asks for [GeV].
RANDOM_PHI_MASS = (0.75, 1.35)

#: A background's m(μμ track) falls as exp(-m / scale) in this range [GeV].
RANDOM_MASS = (1.45, 2.35)
RANDOM_MASS_SCALE = 0.85

#: Transverse momentum of the μμ track system: minimum, and a Lomax law beyond, a falling power.
PT_MIN, PT_SCALE, PT_INDEX = 15.0, 9.0, 3.2
ETA_MAX = 2.5

#: Background dimuons that come from a displaced vertex (b and c hadrons), and its c·lifetime.
DISPLACED_SHARE, DISPLACED_CTAU = 0.75, 0.02


@dataclass(frozen=True)
class Collisions:
    """One dimuon and one charged track in each event, as a D meson or chance made them.

    ``charge`` is the track's; the first muon has the same. ``flight`` is the transverse decay
    length of the vertex that the dimuon comes from [cm].
    """

    process: Array
    muons: tuple[FourVector, FourVector]
    pion: FourVector
    charge: Array
    flight: Array

    @property
    def dimuon(self) -> FourVector:
        """The sum of the two muons."""
        return self.muons[0] + self.muons[1]


def draw_processes(rng: np.random.Generator, kind: Kind, size: int) -> Array:
    """The process of each event, with the labels of ``TRUTH``: a mixture, or signal only.

    >>> draw_processes(np.random.default_rng(1), "simulation", 3)
    array([1, 1, 1])
    """
    if kind == "simulation":
        return np.ones(size, int)
    return rng.choice(len(DATA_MIXTURE), size, p=DATA_MIXTURE)


def collide(rng: np.random.Generator, process: Array) -> Collisions:
    """Draw the particles of collisions of the given processes.

    >>> events = collide(np.random.default_rng(1), np.array([1, 2]))
    >>> (events.dimuon + events.pion).mass.round(5)
    array([1.96835, 1.86966])
    """
    size = len(process)
    phi_mass = _phi_mass(rng, process)
    mass = _parent_mass(rng, process, phi_mass)
    parent = _spectrum(rng, mass)
    to_phi = around(parent.direction, rng.uniform(-1, 1, size), _azimuth(rng, size))
    phi, pion = two_body(mass, phi_mass, PION_MASS, to_phi)
    to_muon = around(to_phi, _helicity_cosine(rng, size), _azimuth(rng, size))
    first, second = two_body(phi_mass, MUON_MASS, MUON_MASS, to_muon)
    return Collisions(
        process=process,
        muons=(boosted(boosted(first, phi), parent), boosted(boosted(second, phi), parent)),
        pion=boosted(pion, parent),
        charge=rng.choice([-1, 1], size),
        flight=_proper_flight(rng, process) * parent.pt / mass,
    )


def companions(rng: np.random.Generator, dimuon: FourVector) -> FourVector:
    """Draw one random track beside each dimuon, such that m(μμ track) falls smoothly.

    Most go against the dimuon's flight in its rest frame, which makes them soft.
    """
    size = len(dimuon.x)
    phi_mass = dimuon.mass
    mass = _random_mass(rng, phi_mass)
    energy = (mass**2 - phi_mass**2 - PION_MASS**2) / (2 * phi_mass)
    momentum = np.sqrt(energy**2 - PION_MASS**2)
    cos_theta = 2 * rng.random(size) ** 2.5 - 1
    x, y, z = around(dimuon.direction, cos_theta, _azimuth(rng, size))
    return boosted(FourVector(momentum * x, momentum * y, momentum * z, energy), dimuon)


def _azimuth(rng: np.random.Generator, size: int) -> Array:
    return rng.uniform(-np.pi, np.pi, size)


def _helicity_cosine(rng: np.random.Generator, size: int) -> Array:
    # The φ of a spinless D has helicity 0, so its muons follow sin²θ; this inverts the integral.
    return np.asarray(2 * np.sin(np.arcsin(rng.uniform(-1, 1, size)) / 3))


def _spectrum(rng: np.random.Generator, mass: Array) -> FourVector:
    size = len(mass)
    pt = PT_MIN + PT_SCALE * rng.pareto(PT_INDEX, size)
    return from_pt_eta_phi(pt, rng.uniform(-ETA_MAX, ETA_MAX, size), _azimuth(rng, size), mass)


def _phi_mass(rng: np.random.Generator, process: Array) -> Array:
    # A Breit-Wigner, without its outer 1.2 % on each side, which would reach below threshold.
    quantile = 0.976 * (rng.random(len(process)) - 0.5)
    resonant = PHI_MASS + PHI_WIDTH / 2 * np.tan(np.pi * quantile)
    by_chance = rng.uniform(*RANDOM_PHI_MASS, len(process))
    return np.where(process > 0, resonant, by_chance)


def _parent_mass(rng: np.random.Generator, process: Array, phi_mass: Array) -> Array:
    mass = _random_mass(rng, phi_mass)
    for label, value in PARENT_MASS.items():
        mass[process == label] = value
    return mass


def _random_mass(rng: np.random.Generator, phi_mass: Array) -> Array:
    low, high = RANDOM_MASS
    share = -np.expm1((low - high) / RANDOM_MASS_SCALE)
    mass = low - RANDOM_MASS_SCALE * np.log1p(-share * rng.random(len(phi_mass)))
    return np.asarray(np.maximum(mass, phi_mass + PION_MASS + 0.01))


def _proper_flight(rng: np.random.Generator, process: Array) -> Array:
    size = len(process)
    ctau = DISPLACED_CTAU * (rng.random(size) < DISPLACED_SHARE)
    for label, value in PARENT_CTAU.items():
        ctau[process == label] = value
    return np.asarray(ctau * rng.exponential(size=size))
