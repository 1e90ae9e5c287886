"""Quantities of decays as expressions: helicity angles, Dalitz variables, decay times."""

from __future__ import annotations

from typing import NamedTuple

from flavorframe import physics
from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, Operand, apply
from flavorframe.errors import ExpressionError
from flavorframe.four_vectors import FourVector, as_p4

LIGHT = Expr(n.Quantity(0.0299792458, "cm"))
"""How far light goes in a picosecond, exactly. Source: the definition of the metre (1983)."""


class Dalitz(NamedTuple):
    """The squared masses of the pairs of three particles, in the square of the file's unit."""

    m2_12: Expr
    m2_13: Expr
    m2_23: Expr


def dalitz(first: Expr | FourVector, second: Expr | FourVector, third: Expr | FourVector) -> Dalitz:
    """Return the Dalitz variables of three particles: m²₁₂, m²₁₃ and m²₂₃.

    Args:
        first: A four-vector, or an object with its own mass.
        second: Another.
        third: Another.

    Returns:
        The three squared masses, ``m2_12``, ``m2_13`` and ``m2_23``, on the particles' joint axis.
        They add up to the squared masses of the three particles and of all together.

    Raises:
        ExpressionError: One of them has no momentum, or they are of two collections.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> muons = ff.p4(t.mu1, mass="mu"), ff.p4(t.mu2, mass="mu")
        >>> ff.dalitz(*muons, ff.p4(t.track, mass="pi")).m2_12
        <m(triplet.mu1, triplet.mu2) · |m(triplet.mu1, triplet.mu2)|, one value per triplet>
    """
    a, b, c = map(as_p4, (first, second, third))
    return Dalitz((a + b).mass2, (a + c).mass2, (b + c).mass2)


def cos_helicity(
    daughter: Expr | FourVector, parent: Expr | FourVector, grandparent: Expr | FourVector
) -> Expr:
    """Return the cosine of the helicity angle of a daughter.

    It is the angle, in the rest frame of the parent, between the daughter and the direction in
    which the parent flies from the grandparent, opposite to that of the grandparent there: 1 where
    the daughter flies on in that direction, −1 where it flies back.

    Args:
        daughter: A four-vector, or an object with its own mass.
        parent: What decays into the daughter.
        grandparent: What decays into the parent.

    Returns:
        A cosine; NaN where the daughter or the grandparent rests with the parent.

    Raises:
        ExpressionError: One of them has no momentum, or they are of two collections.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> mu1, mu2 = ff.p4(t.mu1, mass="mu"), ff.p4(t.mu2, mass="mu")
        >>> phi, ds = mu1 + mu2, mu1 + mu2 + ff.p4(t.track, mass="pi")
        >>> ff.cos_helicity(mu1, phi, ds)
        <cos_helicity(triplet.mu1, triplet.mu1 + triplet.mu2, triplet.mu1 + triplet.mu2 +
         triplet.track), one value per triplet>
    """
    a, b, c = map(as_p4, (daughter, parent, grandparent))
    cosine = -apply("cos", a.in_rest_frame_of(b).angle(c.in_rest_frame_of(b)))
    return Expr(n.Named(cosine.node, f"cos_helicity({a.name}, {b.name}, {c.name})"))


def decay_time(
    flight: Expr, momentum: Expr | FourVector, mass: Operand | str | None = None
) -> Expr:
    """Return the decay time in the particle's rest frame, t = L m / (p c), in picoseconds.

    Args:
        flight: The flight distance, in the file's unit of length.
        momentum: The four-vector of what decays, or the size of its momentum along the flight, in
            the file's unit: of a distance in the transverse plane the transverse momentum.
        mass: The name of a particle, or its mass in the file's unit; by default that of the
            four-vector.

    Returns:
        A time [ps] on the joint axis, whatever the units of the file.

    Raises:
        ExpressionError: There is no mass, or the values are of two collections.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> ff.decay_time(t.flight_distance, t.pt, mass="D(s)+")
        <(triplet.flight_distance · 1968.35 MeV) / (triplet.pt · 0.0299792458 cm), one value per
         triplet>
    """
    if isinstance(momentum, FourVector):
        mass = momentum.mass if mass is None else mass
        momentum = momentum.p
    if mass is None:
        raise ExpressionError(
            "ff.decay_time() takes the mass of what decays, such as mass='D(s)+', unless its "
            "four-vector is given."
        )
    return flight * physics.mass_of(mass) / (momentum * LIGHT)
