"""Four-vectors: four expressions that are added, boosted and asked for masses and angles together.

A four-vector is made of ordinary expressions, so it has their axis, and engines know nothing of it:
what several of its quantities have in common is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flavorframe import physics
from flavorframe._expr.expression import Expr, Operand, apply, as_node
from flavorframe._expr.formula import brief
from flavorframe._expr.functions import arcsinh, arctan2, cos, cosh, hypot, sin, sinh, sqrt
from flavorframe._expr.objects import field_of
from flavorframe.errors import ExpressionError

FORMS = (
    ("pt", "eta", "phi", "mass"),
    ("pt", "eta", "phi", "energy"),
    ("px", "py", "pz", "energy"),
    ("px", "py", "pz", "mass"),
)
"""What a four-vector can be made of."""


@dataclass(frozen=True, eq=False, repr=False)
class FourVector:
    """An energy and a momentum for each event, or each element of a collection; see `p4`.

    Energies, momenta and masses are in the unit of the file, angles in radians. Four-vectors are
    added and subtracted; Python's ``sum`` adds those of a list, and `sum` those of an event.

    Attributes:
        px: The momentum along x.
        py: The momentum along y.
        pz: The momentum along z, the beam.
        energy: The energy.
        name: How formulas and messages call it.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> p = ff.p4(t.mu1, mass="mu") + ff.p4(t.track, mass="pi")
        >>> p
        <four-vector triplet.mu1 + triplet.track, one per triplet>
        >>> p.mass
        <m(triplet.mu1, triplet.track), one value per triplet>
        >>> selection = ff.Selection(t).cut("central", abs(p.rapidity) < 2.4)
    """

    px: Expr
    py: Expr
    pz: Expr
    energy: Expr
    name: str
    _known_mass: Expr | None = None
    _polar: tuple[Expr, ...] = ()
    """pt, η, φ and mass of each object that this is the sum of, where it is a sum of such."""

    def __repr__(self) -> str:
        return f"<four-vector {self.name}, one per {brief(self.energy.axis)}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = ", ".join(each for each in dir(self) if not each.startswith("_"))
        raise AttributeError(f"the four-vector {self.name} has no {name!r}; it has {known}")

    # sums

    def __add__(self, other: FourVector) -> FourVector:
        self._require(other, "+")
        return FourVector(
            self.px + other.px,
            self.py + other.py,
            self.pz + other.pz,
            self.energy + other.energy,
            f"{self.name} + {other.name}",
            _polar=self._polar + other._polar if self._polar and other._polar else (),
        )

    def __radd__(self, other: FourVector | int) -> FourVector:
        if isinstance(other, int) and other == 0:  # where Python's sum() begins
            return self
        return self + other  # type: ignore[operator]  # which says what is wrong with it

    def __sub__(self, other: FourVector) -> FourVector:
        self._require(other, "−")
        return FourVector(
            self.px - other.px,
            self.py - other.py,
            self.pz - other.pz,
            self.energy - other.energy,
            f"{self.name} − ({other.name})",
        )

    def _require(self, other: object, sign: str) -> None:
        if not isinstance(other, FourVector):
            raise ExpressionError(
                f"{self.name} {sign} {other!r}: a four-vector goes with another one; ff.p4(...) "
                "makes one of an object."
            )

    def sum(self) -> FourVector:
        """Return the sum over the elements of each event, or list; 0 where there is none.

        Raises:
            ExpressionError: There is one four-vector an event already.

        Example:
            >>> import flavorframe as ff
            >>> muon = ff.events().muon
            >>> ff.p4(muon, mass="mu").sum()
            <four-vector sum(muon), one per event>
        """
        return FourVector(
            self.px.sum(), self.py.sum(), self.pz.sum(), self.energy.sum(), f"sum({self.name})"
        )

    def _with_mass(self, mass: Expr) -> FourVector:
        return replace(self, energy=hypot(self.p, mass), _known_mass=mass, _polar=())

    @property
    def _momentum(self) -> tuple[Expr, Expr, Expr]:
        return self.px, self.py, self.pz

    # quantities

    @property
    def _object(self) -> tuple[Expr, ...]:
        """The pt, η, φ and mass that this was made of, if it was made of one object."""
        return self._polar if len(self._polar) == 4 else ()

    @property
    def pt(self) -> Expr:
        """The transverse momentum."""
        return self._object[0] if self._object else hypot(self.px, self.py)

    @property
    def eta(self) -> Expr:
        """The pseudorapidity η = arsinh(pz / pt); ±∞ along the beam, NaN at rest."""
        return self._object[1] if self._object else arcsinh(self.pz / self.pt)

    @property
    def phi(self) -> Expr:
        """The azimuth [rad]: as the object has it, or in (−π, π] of what is computed."""
        return self._object[2] if self._object else arctan2(self.py, self.px)

    @property
    def mass(self) -> Expr:
        """The mass: the one given, or √(E² − p²), which is −√(p² − E²) where p > E.

        Rounding changes the computed m² by a few 10⁻¹⁶ E²: of m = 1 GeV at E = 100 GeV eleven
        digits are right, of m = 1 MeV five.
        """
        if self._known_mass is not None:
            return self._known_mass
        if self._polar:
            return apply("mass", *self._polar)
        return apply("mass_of_components", *self._momentum, self.energy)

    @property
    def mass2(self) -> Expr:
        """The square of the mass, E² − p²; negative where p > E."""
        return self.mass * abs(self.mass)

    @property
    def p(self) -> Expr:
        """The size of the momentum."""
        return self.pt * cosh(self.eta) if self._object else hypot(self.pt, self.pz)

    @property
    def theta(self) -> Expr:
        """The angle to the beam [rad], from 0 to π."""
        return arctan2(self.pt, self.pz)

    @property
    def rapidity(self) -> Expr:
        """The rapidity y = arsinh(pz / mT), with mT² = m² + pt² = E² − pz².

        Where the mass was given, all but the last digits are right at any boost. Else y is right to
        a few 10⁻¹⁶ (E / mT)², and NaN where rounding leaves no mT.
        """
        if self._known_mass is not None:
            return arcsinh(self.pz / hypot(self.pt, self._known_mass))
        return arcsinh(self.pz / sqrt((self.energy - self.pz) * (self.energy + self.pz)))

    @property
    def beta(self) -> Expr:
        """The velocity p / E, in units of that of light."""
        return self.p / self.energy

    @property
    def gamma(self) -> Expr:
        """The Lorentz factor E / m."""
        return self.energy / self.mass

    # in relation to others

    def angle(self, to: Expr | FourVector) -> Expr:
        """Return the opening angle in space [rad], from 0 to π; NaN where one of the two rests.

        Args:
            to: Another four-vector, or an object with ``pt``, ``eta`` and ``phi``.
        """
        return apply("angle", *self._momentum, *as_p4(to)._momentum)

    def delta_r(self, to: Expr | FourVector) -> Expr:
        """Return ΔR to another four-vector or object; see `flavorframe.delta_r`."""
        return physics.delta_r(self, to)

    def delta_phi(self, to: Expr | FourVector) -> Expr:
        """Return φ minus that of another four-vector or object, in [−π, π)."""
        return physics.delta_phi(self, to)

    def in_rest_frame_of(self, frame: FourVector) -> FourVector:
        """Return the four-vector as it is seen from another one that rests.

        So ``p.in_rest_frame_of(p)`` has no momentum, and its energy is its mass. It is the boost
        without rotation by −β of the frame. The axes stay those of the laboratory.

        Args:
            frame: A four-vector with a mass above 0; of another the result is NaN or infinite.

        Returns:
            A four-vector of the same mass. Its components are right to a few 10⁻¹⁶ γE, with γ of
            the frame and E the energy in the laboratory.

        Raises:
            ExpressionError: It is no four-vector, or one of another collection.

        Example:
            >>> import flavorframe as ff
            >>> t = ff.events().triplet
            >>> mu1, mu2 = ff.p4(t.mu1, mass="mu"), ff.p4(t.mu2, mass="mu")
            >>> mu1.in_rest_frame_of(mu1 + mu2)
            <four-vector triplet.mu1 in the rest frame of (triplet.mu1 + triplet.mu2), one per
             triplet>
        """
        self._require(frame, "in the rest frame of")
        along = self.px * frame.px + self.py * frame.py + self.pz * frame.pz
        energy = (self.energy * frame.energy - along) / frame.mass
        share = (self.energy + energy) / (frame.energy + frame.mass)
        return FourVector(
            self.px - share * frame.px,
            self.py - share * frame.py,
            self.pz - share * frame.pz,
            energy,
            f"{self.name} in the rest frame of ({frame.name})",
            self.mass,
        )


def p4(
    item: Expr | FourVector | None = None,
    *,
    mass: Operand | str | None = None,
    **components: Operand,
) -> FourVector:
    """Return the four-vector of an object, or of expressions.

    Args:
        item: An object with ``pt``, ``eta`` and ``phi`` [rad], such as ``muon`` or ``t.mu1``; or a
            four-vector, to give its momentum another mass.
        mass: The name of a particle (see `particle_mass`), a number in the unit of the file, or an
            expression; by default the object's own ``mass``.
        components: Instead of an object, ``pt``, ``eta`` and ``phi``, or ``px``, ``py`` and ``pz``,
            and with them ``mass`` or ``energy``.

    Returns:
        A `FourVector`, one on the joint axis of what it is made of.

    Raises:
        ExpressionError: Other components are given, a particle that is not known, or values of two
            collections.

    Example:
        >>> import flavorframe as ff
        >>> events = ff.events()
        >>> ff.p4(events.triplet.track, mass="pi+").energy
        <hypot(triplet.track.pt · cosh(triplet.track.eta), 139.57039 MeV), one value per triplet>
        >>> met = events.met
        >>> (ff.p4(events.muon) + ff.p4(pt=met.pt, eta=0, phi=met.phi, mass=0)).pt
        <hypot(muon.pt · cos(muon.phi) + met.pt · cos(met.phi), muon.pt · sin(muon.phi) + met.pt ·
         sin(met.phi)), one value per muon>
    """
    if item is None:
        given = components if mass is None else {**components, "mass": mass}
        return _of_components(given)
    if components:
        raise ExpressionError(
            f"ff.p4() takes an object with its mass, or {_forms()}; it was given an object and "
            f"{_listed(components)}."
        )
    return as_p4(item, mass)


def as_p4(item: Expr | FourVector, mass: Operand | str | None = None) -> FourVector:
    """Return the four-vector of an object, with its own mass or another; one is itself.

    Raises ExpressionError where it is neither.
    """
    if isinstance(item, FourVector):
        return item if mass is None else item._with_mass(physics.mass_of(mass))
    if not isinstance(item, Expr) or field_of(item.node, "pt") is None:
        raise ExpressionError(
            f"{item!r} has no momentum: ff.p4() takes an object, such as events.muon or t.mu1, or "
            f"{_forms()}."
        )
    own = item.mass if mass is None else physics.mass_of(mass)
    return _polar(item.pt, item.eta, item.phi, own, brief(item.node))


def _of_components(given: dict[str, Any]) -> FourVector:
    form = next((form for form in FORMS if {*form} == {*given}), None)
    if form is None:
        raise ExpressionError(
            f"ff.p4() takes an object, or {_forms()}; it was given {_listed(given)}."
        )
    a, b, c = (Expr(as_node(given[name])) for name in form[:3])
    d = physics.mass_of(given["mass"]) if form[3] == "mass" else Expr(as_node(given["energy"]))
    name = f"({', '.join(brief(each.node) for each in (a, b, c, d))})"
    if form == FORMS[0]:
        return _polar(a, b, c, d, name)
    px, py, pz = (a, b, c) if form[0] == "px" else _cartesian(a, b, c)
    if form[3] == "energy":
        return FourVector(px, py, pz, d, name)
    return FourVector(px, py, pz, d, name)._with_mass(d)


def _polar(pt: Expr, eta: Expr, phi: Expr, mass: Expr, name: str) -> FourVector:
    px, py, pz = _cartesian(pt, eta, phi)
    energy = hypot(pt * cosh(eta), mass)
    return FourVector(px, py, pz, energy, name, mass, (pt, eta, phi, mass))


def _cartesian(pt: Expr, eta: Expr, phi: Expr) -> tuple[Expr, Expr, Expr]:
    return pt * cos(phi), pt * sin(phi), pt * sinh(eta)


def _forms() -> str:
    return "; ".join(_listed(form) for form in FORMS)


def _listed(names: Sequence[str] | dict[str, Any]) -> str:
    *most, last = names or ("nothing",)
    return f"{', '.join(most)} and {last}" if most else last
