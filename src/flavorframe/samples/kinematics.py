"""Four-vectors and two-body decays, for many particles at once (GeV, natural units)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flavorframe.samples.record import Array


@dataclass(frozen=True)
class FourVector:
    """Energies and momenta of many particles, one array a component [GeV].

    >>> muon = from_pt_eta_phi(np.array([3.0]), np.array([0.0]), np.array([0.0]), 4.0)
    >>> muon.energy, muon.mass
    (array([5.]), array([4.]))
    """

    x: Array
    y: Array
    z: Array
    energy: Array

    @property
    def pt(self) -> Array:
        """Transverse momentum [GeV]."""
        return np.hypot(self.x, self.y)

    @property
    def eta(self) -> Array:
        """Pseudorapidity."""
        return np.arcsinh(self.z / self.pt)

    @property
    def phi(self) -> Array:
        """Azimuth in (-π, π]."""
        return np.arctan2(self.y, self.x)

    @property
    def magnitude(self) -> Array:
        """Magnitude of the momentum [GeV]."""
        return np.asarray(np.sqrt(self.x**2 + self.y**2 + self.z**2))

    @property
    def mass(self) -> Array:
        """Invariant mass [GeV]; zero where rounding makes its square negative."""
        square = self.energy**2 - self.x**2 - self.y**2 - self.z**2
        return np.asarray(np.sqrt(np.maximum(square, 0.0)))

    @property
    def direction(self) -> tuple[Array, Array, Array]:
        """Unit vector along the momentum."""
        momentum = self.magnitude
        return self.x / momentum, self.y / momentum, self.z / momentum

    def __add__(self, other: FourVector) -> FourVector:
        return FourVector(
            self.x + other.x, self.y + other.y, self.z + other.z, self.energy + other.energy
        )

    def __getitem__(self, rows: Array) -> FourVector:
        return FourVector(self.x[rows], self.y[rows], self.z[rows], self.energy[rows])


def from_pt_eta_phi(pt: Array, eta: Array, phi: Array, mass: float | Array) -> FourVector:
    """Make four-vectors from collider coordinates; pt and mass in GeV.

    >>> from_pt_eta_phi(np.array([2.0]), np.array([0.0]), np.array([0.0]), 0.0).x
    array([2.])
    """
    momentum = pt * np.cosh(eta)
    energy = np.sqrt(momentum**2 + np.square(mass))
    return FourVector(pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), energy)


def boosted(particle: FourVector, frame: FourVector) -> FourVector:
    """Take particles from the rest frame of ``frame`` to the frame in which ``frame`` is given.

    >>> at_rest = FourVector(*(np.zeros(1),) * 3, np.ones(1))
    >>> moving = from_pt_eta_phi(np.array([3.0]), np.array([0.0]), np.array([0.0]), 4.0)
    >>> boosted(at_rest, moving).x
    array([0.75])
    """
    gamma = frame.energy / frame.mass
    x, y, z = frame.x / frame.energy, frame.y / frame.energy, frame.z / frame.energy
    along = particle.x * x + particle.y * y + particle.z * z
    shift = gamma * (gamma / (gamma + 1) * along + particle.energy)
    return FourVector(
        particle.x + shift * x,
        particle.y + shift * y,
        particle.z + shift * z,
        gamma * (particle.energy + along),
    )


def two_body(
    mass: Array, first: float | Array, second: float | Array, direction: tuple[Array, Array, Array]
) -> tuple[FourVector, FourVector]:
    """Decay particles of ``mass`` at rest into daughters of masses ``first`` and ``second`` [GeV].

    The first daughter goes along ``direction``. Momentum: PDG review of kinematics, two-body
    decays.

    >>> along_x = np.ones(1), np.zeros(1), np.zeros(1)
    >>> two_body(np.array([2.0]), 0.0, 0.0, along_x)[1].x
    array([-1.])
    """
    e1 = (mass**2 + np.square(first) - np.square(second)) / (2 * mass)
    p = np.sqrt(np.maximum(e1**2 - np.square(first), 0.0))
    x, y, z = (p * component for component in direction)
    return FourVector(x, y, z, e1), FourVector(-x, -y, -z, mass - e1)


def around(
    axis: tuple[Array, Array, Array], cos_theta: Array, azimuth: Array
) -> tuple[Array, Array, Array]:
    """Unit vectors at the given polar angle and azimuth about unit vectors ``axis``.

    The two directions across the axis: T. Duff et al., "Building an orthonormal basis, revisited",
    JCGT 6 (2017) 1.

    >>> around((np.zeros(1), np.zeros(1), np.ones(1)), np.array([1.0]), np.array([0.3]))[2]
    array([1.])
    """
    x, y, z = axis
    sign = np.copysign(1.0, z)
    a = -1.0 / (sign + z)
    b = x * y * a
    sin_theta = np.sqrt(1 - cos_theta**2)
    u, v = sin_theta * np.cos(azimuth), sin_theta * np.sin(azimuth)
    return (
        cos_theta * x + u * (1 + sign * x * x * a) + v * b,
        cos_theta * y + u * sign * b + v * (sign + y * y * a),
        cos_theta * z - u * sign * x - v * y,
    )
