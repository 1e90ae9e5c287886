"""Kinematic quantities as expressions: angles, masses, pointing.

An object with ``pt``, ``eta`` and ``phi`` is a collection, a link, a member of a pair, or a
four-vector.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, Operand, apply, as_node
from flavorframe.errors import ExpressionError, did_you_mean

if TYPE_CHECKING:
    from particle import Particle

    from flavorframe.four_vectors import FourVector

MUON_MASS = 0.1056583755
"""Mass of the muon [GeV]. Source: Review of Particle Physics (2024)."""

PION_MASS = 0.13957039
"""Mass of the charged pion [GeV]. Source: Review of Particle Physics (2024)."""

KAON_MASS = 0.493677
"""Mass of the charged kaon [GeV]. Source: Review of Particle Physics (2024)."""


def delta_phi(a: Expr | FourVector, b: Expr | FourVector) -> Expr:
    """Return φ(a) − φ(b) wrapped to [−π, π).

    Args:
        a: An object with ``phi`` [rad].
        b: Another.

    Returns:
        An angle [rad], one value on the joint axis of the two.

    Raises:
        ExpressionError: The objects are of two collections.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> ff.delta_phi(t.mu1, t.track)
        <Δφ(triplet.mu1, triplet.track), one value per triplet>
    """
    return apply("delta_phi", a.phi, b.phi)


def delta_r(a: Expr | FourVector, b: Expr | FourVector) -> Expr:
    """Return ΔR = √(Δη² + Δφ²) of two objects, Δφ wrapped to [−π, π).

    Args:
        a: An object with ``eta`` and ``phi`` [rad].
        b: Another.

    Returns:
        A distance, one value on the joint axis of the two.

    Raises:
        ExpressionError: The objects are of two collections.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> ff.delta_r(t.mu1, t.track) < 0.8
        <ΔR(triplet.mu1, triplet.track) < 0.8, one value per triplet>
    """
    return apply("delta_r", a.eta, a.phi, b.eta, b.phi)


def particle_mass(name: str) -> Expr:
    """Return the mass of a particle, in the unit of each file.

    Args:
        name: The name in the Review of Particle Physics or EvtGen, as the package ``particle`` has
            it: ``"mu-"``, ``"D(s)+"``, ``"D_s+"``, ``"J/psi"``. Brackets may be left out
            (``"Ds+"``), and the charge of those of charged particles: ``"mu"``, ``"pi"``, ``"K"``.

    Returns:
        A constant, the mass of the Review of Particle Physics.

    Raises:
        ExpressionError: There is no such particle, or its mass is not known.

    Example:
        >>> import flavorframe as ff
        >>> abs(ff.events().triplet.mass - ff.particle_mass("D_s+")) < 20 * ff.MeV
        <|triplet.mass − 1968.35 MeV| < 20 MeV, one value per triplet>
    """
    return Expr(n.Quantity(_mass_in_mev(name), "MeV"))


CHARGES = ("", "+", "-")
"""What may be left out at the end of a name, in the order in which it is tried."""


def _mass_in_mev(name: str) -> float:
    found = find_particle(name)
    if found.mass is None:
        raise ExpressionError(f"The mass of {name} is not known: write a number.")
    return float(found.mass)


@lru_cache(maxsize=128)
def find_particle(name: str) -> Particle:
    """Return the particle of a name, as `particle_mass` takes it.

    Raises ExpressionError where there is none.
    """
    if not isinstance(name, str):
        raise ExpressionError(f"A particle is asked for by its name, not by {name!r}.")
    found = next(filter(None, (_particle(name + charge) for charge in CHARGES)), None)
    if found is None:
        from particle import Particle

        near = did_you_mean(name, (each.name for each in Particle.all()))
        raise ExpressionError(f"There is no particle {name!r}.{near}")
    return found


def _particle(name: str) -> Particle | None:
    from particle import Particle, ParticleNotFound
    from particle.exceptions import MatchingIDNotFound

    for known in (Particle.from_name, Particle.from_evtgen_name):
        with suppress(ParticleNotFound, MatchingIDNotFound):
            return known(name)
    return _without_brackets().get(name)


@lru_cache(maxsize=1)
def _without_brackets() -> Mapping[str, Particle]:
    """Return the particles by names as one types them, ``Ds+`` for ``D(s)+``; of two alike none."""
    from particle import Particle

    names: dict[str, list[Particle]] = {}
    for each in Particle.all():
        names.setdefault(re.sub(r"[()]", "", each.name), []).append(each)
    return {name: found[0] for name, found in names.items() if len(found) == 1}


def mass(*objects: Expr | FourVector, masses: Operand | tuple[Operand, ...] | None = None) -> Expr:
    """Return the invariant mass of two or more objects: m² = (ΣE)² − (Σp)².

    Where rounding makes m² negative, the mass is −√(−m²), as in ROOT's ``TLorentzVector::M``.

    Args:
        objects: Objects with ``pt``, ``eta`` and ``phi`` [rad].
        masses: One mass for all objects, or one for each: the name of a particle (see
            `particle_mass`), a number in the file's unit, or an expression; by default their own
            ``mass``.

    Returns:
        A mass in the file's unit of energy, one value on the joint axis of the objects.

    Raises:
        ExpressionError: There are fewer than two objects, not as many masses as objects, a
            particle that is not known, or objects of two collections.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> ff.mass(t.mu1, t.mu2, t.track, masses=("mu", "mu", "pi"))
        <m(triplet.mu1, triplet.mu2, triplet.track), one value per triplet>
    """
    if len(objects) < 2:
        raise ExpressionError("ff.mass() takes two or more objects with pt, eta and phi.")
    components: list[Operand] = []
    for item, m in zip(objects, _masses(objects, masses), strict=True):
        components += [item.pt, item.eta, item.phi, m]
    return apply("mass", *components)


def _masses(
    objects: tuple[Expr | FourVector, ...], masses: Operand | tuple[Operand, ...] | None
) -> list[Operand]:
    if masses is None:
        return [item.mass for item in objects]
    if not isinstance(masses, tuple | list):
        return [mass_of(masses)] * len(objects)
    if len(masses) != len(objects):
        raise ExpressionError(
            f"ff.mass() was given {len(objects)} objects and {len(masses)} masses."
        )
    return [mass_of(each) for each in masses]


def mass_of(given: Operand) -> Expr:
    """Return a mass that is given as a particle's name, a number or an expression."""
    return particle_mass(given) if isinstance(given, str) else Expr(as_node(given))


def transverse_mass(a: Expr | FourVector, b: Expr | FourVector) -> Expr:
    """Return mT = √(2 pt₁ pt₂ (1 − cos Δφ)) of two objects taken as massless.

    Args:
        a: An object with ``pt`` [GeV] and ``phi`` [rad].
        b: Another, such as the missing transverse momentum.

    Returns:
        A mass [GeV], one value on the joint axis of the two.

    Raises:
        ExpressionError: The objects are of two collections.

    Example:
        >>> import flavorframe as ff
        >>> events = ff.events()
        >>> ff.transverse_mass(events.muon, events.met)
        <mT(muon, met), one value per muon>
    """
    return apply("transverse_mass", a.pt, a.phi, b.pt, b.phi)


def cos2d(candidate: Expr) -> Expr:
    """Return the cosine of the pointing angle in the transverse plane.

    The angle lies between the candidate's momentum and the line from its primary vertex
    (``pv_x``, ``pv_y``) to its decay vertex (``vertex_x``, ``vertex_y``).

    Args:
        candidate: An object with ``pt`` [GeV], ``phi`` [rad], and the two vertices [cm].

    Returns:
        A cosine for each candidate; NaN where the vertices coincide.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> selection = ff.Selection(t).cut("pointing", ff.cos2d(t) > 0.99)
    """
    return apply(
        "cos2d", candidate.pt, candidate.phi,
        candidate.vertex_x, candidate.vertex_y, candidate.pv_x, candidate.pv_y,
    )  # fmt: skip


def cos3d(candidate: Expr) -> Expr:
    """Return the cosine of the pointing angle in space; see `cos2d`.

    Args:
        candidate: An object with ``pt`` [GeV], ``eta``, ``phi`` [rad], and the two vertices [cm],
            here with ``pv_z`` and ``vertex_z``.

    Returns:
        A cosine for each candidate; NaN where the vertices coincide.
    """
    return apply(
        "cos3d", candidate.pt, candidate.eta, candidate.phi,
        candidate.vertex_x, candidate.vertex_y, candidate.vertex_z,
        candidate.pv_x, candidate.pv_y, candidate.pv_z,
    )  # fmt: skip
