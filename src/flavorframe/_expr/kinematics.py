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
    squared: Array = energy * energy - (px * px + py * py + pz * pz)
    signed: Array = np.sign(squared) * np.sqrt(np.abs(squared))
    return signed


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
