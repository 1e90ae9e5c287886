"""What really happened: the particles of each collision, before any detector (GeV, cm)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flavorframe.samples.kinematics import FourVector, around, boosted, from_pt_eta_phi, two_body
from flavorframe.samples.record import Array, Decay, Kind

#: Masses, width and c·lifetimes: Particle Data Group, Review of Particle Physics.
MUON_MASS = 0.1056583755
PION_MASS = 0.13957039
PHI_MASS, PHI_WIDTH = 1.019461, 0.004249
PARENT_MASS = {1: 1.96835, 2: 1.86966, 4: 1.77693}
PARENT_CTAU = {1: 0.0151, 2: 0.0312, 4: 0.00870}

#: What a decay has beside two muons.
THIRD_MASS: dict[Decay, float] = {"dsphipi": PION_MASS, "tau3mu": MUON_MASS}

#: Share of each process in data: 0 combinatorial, 1 Ds, 2 D+, 3 a φ and a random third particle,
#: 4 τ → 3μ, which nobody has seen.
DATA_MIXTURE: dict[Decay, tuple[float, ...]] = {
    "dsphipi": (0.4916, 0.0290, 0.0094, 0.4700),
    "tau3mu": (0.85, 0.0, 0.0, 0.15),
}
SIGNAL: dict[Decay, int] = {"dsphipi": 1, "tau3mu": 4}

#: Dimuon mass of the combinatorial process: uniform, for Ds → φπ about the φ that the skim asks
#: for [GeV].
RANDOM_PAIR_MASS: dict[Decay, tuple[float, float]] = {
    "dsphipi": (0.75, 1.35),
    "tau3mu": (0.25, 1.35),
}

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
    """One dimuon and a third charged particle in each event, as a decay or chance made them.

    ``third`` is a pion, or a muon for τ → 3μ. ``charge`` is its charge; the first muon has the
    same. ``flight`` is the transverse decay length of the vertex that the dimuon comes from [cm].
    """

    decay: Decay
    process: Array
    muons: tuple[FourVector, FourVector]
    third: FourVector
    charge: Array
    flight: Array

    @property
    def dimuon(self) -> FourVector:
        """The sum of the two muons."""
        return self.muons[0] + self.muons[1]


def draw_processes(
    rng: np.random.Generator, kind: Kind, size: int, decay: Decay = "dsphipi"
) -> Array:
    """The process of each event, with the labels of ``TRUTH``: a mixture, or signal only.

    >>> draw_processes(np.random.default_rng(1), "simulation", 3)
    array([1, 1, 1])
    """
    if kind == "simulation":
        return np.full(size, SIGNAL[decay])
    mixture = DATA_MIXTURE[decay]
    return rng.choice(len(mixture), size, p=mixture)


def collide(rng: np.random.Generator, process: Array, decay: Decay = "dsphipi") -> Collisions:
    """Draw the particles of collisions of the given processes.

    >>> events = collide(np.random.default_rng(1), np.array([1, 2]))
    >>> (events.dimuon + events.third).mass.round(5)
    array([1.96835, 1.86966])
    """
    size, third_mass = len(process), THIRD_MASS[decay]
    pair_mass = _pair_mass(rng, process, decay)
    mass = _parent_mass(rng, process, pair_mass, third_mass)
    parent = _spectrum(rng, mass)
    to_pair = around(parent.direction, rng.uniform(-1, 1, size), _azimuth(rng, size))
    pair, third = two_body(mass, pair_mass, third_mass, to_pair)
    to_muon = around(to_pair, _helicity_cosine(rng, process), _azimuth(rng, size))
    first, second = two_body(pair_mass, MUON_MASS, MUON_MASS, to_muon)
    return Collisions(
        decay=decay,
        process=process,
        muons=(boosted(boosted(first, pair), parent), boosted(boosted(second, pair), parent)),
        third=boosted(third, parent),
        charge=rng.choice([-1, 1], size),
        flight=_proper_flight(rng, process) * parent.pt / mass,
    )


def companions(rng: np.random.Generator, dimuon: FourVector) -> FourVector:
    """Draw one random track beside each dimuon, such that m(μμ track) falls smoothly.

    Most go against the dimuon's flight in its rest frame, which makes them soft.
    """
    size = len(dimuon.x)
    phi_mass = dimuon.mass
    mass = _random_mass(rng, phi_mass, PION_MASS)
    energy = (mass**2 - phi_mass**2 - PION_MASS**2) / (2 * phi_mass)
    momentum = np.sqrt(energy**2 - PION_MASS**2)
    cos_theta = 2 * rng.random(size) ** 2.5 - 1
    x, y, z = around(dimuon.direction, cos_theta, _azimuth(rng, size))
    return boosted(FourVector(momentum * x, momentum * y, momentum * z, energy), dimuon)


def _azimuth(rng: np.random.Generator, size: int) -> Array:
    return rng.uniform(-np.pi, np.pi, size)


def _helicity_cosine(rng: np.random.Generator, process: Array) -> Array:
    uniform = rng.uniform(-1, 1, len(process))
    # The φ of a spinless D has helicity 0, so its muons follow sin²θ; this inverts the integral.
    of_phi = 2 * np.sin(np.arcsin(uniform) / 3)
    return np.where(process == SIGNAL["tau3mu"], uniform, of_phi)


def _spectrum(rng: np.random.Generator, mass: Array) -> FourVector:
    size = len(mass)
    pt = PT_MIN + PT_SCALE * rng.pareto(PT_INDEX, size)
    return from_pt_eta_phi(pt, rng.uniform(-ETA_MAX, ETA_MAX, size), _azimuth(rng, size), mass)


def _pair_mass(rng: np.random.Generator, process: Array, decay: Decay) -> Array:
    # A Breit-Wigner, without its outer 1.2 % on each side, which would reach below threshold.
    quantile = 0.976 * (rng.random(len(process)) - 0.5)
    resonant = PHI_MASS + PHI_WIDTH / 2 * np.tan(np.pi * quantile)
    by_chance = rng.uniform(*RANDOM_PAIR_MASS[decay], len(process))
    mass = np.where(process > 0, resonant, by_chance)
    mass[process == SIGNAL["tau3mu"]] = _phase_space(rng, int((process == SIGNAL["tau3mu"]).sum()))
    return mass


def _phase_space(rng: np.random.Generator, size: int) -> Array:
    """Dimuon masses of τ → 3μ where nothing but phase space decides.

    Their density is the product of the momenta in both two-body decays: PDG review of kinematics,
    three-body decays.
    """
    tau = PARENT_MASS[SIGNAL["tau3mu"]]
    masses = np.linspace(2 * MUON_MASS, tau - MUON_MASS, 2001)
    ahead = np.ones_like(masses), np.zeros_like(masses), np.zeros_like(masses)
    pair = two_body(np.full_like(masses, tau), masses, MUON_MASS, ahead)[0].x
    muon = two_body(masses, MUON_MASS, MUON_MASS, ahead)[0].x
    quantile = np.cumsum(pair * muon)
    return np.interp(rng.random(size), quantile / quantile[-1], masses)


def _parent_mass(
    rng: np.random.Generator, process: Array, pair_mass: Array, third_mass: float
) -> Array:
    mass = _random_mass(rng, pair_mass, third_mass)
    for label, value in PARENT_MASS.items():
        mass[process == label] = value
    return mass


def _random_mass(rng: np.random.Generator, pair_mass: Array, third_mass: float) -> Array:
    low, high = RANDOM_MASS
    share = -np.expm1((low - high) / RANDOM_MASS_SCALE)
    mass = low - RANDOM_MASS_SCALE * np.log1p(-share * rng.random(len(pair_mass)))
    return np.asarray(np.maximum(mass, pair_mass + third_mass + 0.01))


def _proper_flight(rng: np.random.Generator, process: Array) -> Array:
    size = len(process)
    ctau = DISPLACED_CTAU * (rng.random(size) < DISPLACED_SHARE)
    for label, value in PARENT_CTAU.items():
        ctau[process == label] = value
    return np.asarray(ctau * rng.exponential(size=size))
