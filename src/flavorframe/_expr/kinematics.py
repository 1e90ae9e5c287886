"""Kinematic formulas over numpy arrays, in double precision; angles in radians, the rest in GeV.

Kept apart from `flavorframe.physics`, whose functions build expressions: these are what an engine
calls to compute them.
"""

from __future__ import annotations

import numpy as np

from flavorframe._expr.arithmetic import Array

TURN = 2 * np.pi


def delta_phi(phi1: Array, phi2: Array) -> Array:
    """Return φ₁ − φ₂ wrapped to [−π, π).

    >>> float(delta_phi(np.float64(3.0), np.float64(-3.0)).round(4))
    -0.2832
    """
    turned = np.asarray(phi1 - phi2 + np.pi)
    if not (np.min(turned, initial=0) >= -TURN and np.max(turned, initial=0) < 2 * TURN):
        wrapped: Array = turned % TURN - np.pi
        return wrapped
    turns = (turned < 0).view(np.int8) - (turned >= TURN).view(np.int8)
    return turned + TURN * turns - np.pi  # the bits of the remainder, in a tenth of the time


def delta_r(eta1: Array, phi1: Array, eta2: Array, phi2: Array) -> Array:
    """Return ΔR = √(Δη² + Δφ²)."""
    eta, phi = eta1 - eta2, delta_phi(phi1, phi2)
    distance: Array = np.sqrt(eta * eta + phi * phi)
    return distance


def invariant_mass(*components: Array) -> Array:
    """Return the invariant mass of the four-vectors given as pt, η, φ, m, pt, η, φ, m, …

    m² = (ΣE)² − (Σp)²; where rounding makes it negative the mass is −√(−m²), as in ROOT's
    ``TLorentzVector::M``.
    """
    energy = px = py = pz = np.zeros(())
    for pt, eta, phi, mass in zip(*[iter(components)] * 4, strict=True):
        x, y, z = momentum(pt, eta, phi)
        px, py, pz = px + x, py + y, pz + z
        energy = energy + np.sqrt(x * x + y * y + z * z + mass * mass)
    return mass_of_components(px, py, pz, energy)


def mass_of_components(px: Array, py: Array, pz: Array, energy: Array) -> Array:
    """Return √(E² − p²), or −√(p² − E²) where p > E."""
    squared: Array = energy * energy - (px * px + py * py + pz * pz)
    signed: Array = np.sign(squared) * np.sqrt(np.abs(squared))
    return signed


def angle(px1: Array, py1: Array, pz1: Array, px2: Array, py2: Array, pz2: Array) -> Array:
    """Return the angle between two momenta, from 0 to π; NaN where one of them is 0.

    With unit vectors u and v it is 2 arctan(|u − v| / |u + v|), which is exact to rounding at all
    angles. Source: W. Kahan, "How Futile are Mindless Assessments of Roundoff in Floating-Point
    Computation?" (2006), section 12.

    >>> f = np.float64
    >>> float(angle(f(1), f(0), f(0), f(-1), f(1e-9), f(0)) - np.pi)
    -1.000000082740371e-09
    """
    size1 = np.sqrt(px1 * px1 + py1 * py1 + pz1 * pz1)
    size2 = np.sqrt(px2 * px2 + py2 * py2 + pz2 * pz2)
    pairs = [(px1 / size1, px2 / size2), (py1 / size1, py2 / size2), (pz1 / size1, pz2 / size2)]
    apart = np.sqrt(sum((u - v) * (u - v) for u, v in pairs))
    together = np.sqrt(sum((u + v) * (u + v) for u, v in pairs))
    opening: Array = 2 * np.arctan2(apart, together)
    return opening


def momentum(pt: Array, eta: Array, phi: Array) -> tuple[Array, Array, Array]:
    """Return the Cartesian momentum px = pt cos φ, py = pt sin φ, pz = pt sinh η."""
    return pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)


def transverse_mass(pt1: Array, phi1: Array, pt2: Array, phi2: Array) -> Array:
    """Return mT = √(2 pt₁ pt₂ (1 − cos Δφ)) of two massless momenta.

    Source: Review of Particle Physics (2024), kinematics, eq. 49.35 for massless products.
    """
    mass: Array = np.sqrt(2 * pt1 * pt2 * (1 - np.cos(phi1 - phi2)))
    return mass


def cos2d(pt: Array, phi: Array, x: Array, y: Array, x0: Array, y0: Array) -> Array:
    """Return the cosine between the transverse momentum and the line from (x0, y0) to (x, y).

    NaN where the two points coincide.
    """
    px, py = pt * np.cos(phi), pt * np.sin(phi)
    dx, dy = x - x0, y - y0
    cosine: Array = (px * dx + py * dy) / (np.hypot(px, py) * np.hypot(dx, dy))
    return cosine


def cos3d(
    pt: Array, eta: Array, phi: Array,
    x: Array, y: Array, z: Array,
    x0: Array, y0: Array, z0: Array,
) -> Array:  # fmt: skip
    """Return the cosine between the momentum and the line from (x0, y0, z0) to (x, y, z).

    NaN where the two points coincide.
    """
    px, py, pz = momentum(pt, eta, phi)
    dx, dy, dz = x - x0, y - y0, z - z0
    lengths = np.sqrt(px * px + py * py + pz * pz) * np.sqrt(dx * dx + dy * dy + dz * dz)
    cosine: Array = (px * dx + py * dy + pz * dz) / lengths
    return cosine
