"""Functions that build expressions, named as in numpy, and combinations of collections."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Collection, Expr, Operand, apply, element
from flavorframe.errors import ExpressionError


def sqrt(x: Operand) -> Expr:
    """Return √x; NaN where x < 0."""
    return apply("sqrt", x)


def exp(x: Operand) -> Expr:
    """Return eˣ."""
    return apply("exp", x)


def log(x: Operand) -> Expr:
    """Return the natural logarithm; −∞ at 0 and NaN below."""
    return apply("log", x)


def log10(x: Operand) -> Expr:
    """Return the logarithm to base 10; −∞ at 0 and NaN below."""
    return apply("log10", x)


def sin(x: Operand) -> Expr:
    """Return the sine of x [rad]."""
    return apply("sin", x)


def cos(x: Operand) -> Expr:
    """Return the cosine of x [rad]."""
    return apply("cos", x)


def tan(x: Operand) -> Expr:
    """Return the tangent of x [rad]."""
    return apply("tan", x)


def arcsin(x: Operand) -> Expr:
    """Return the angle [rad] whose sine is x."""
    return apply("arcsin", x)


def arccos(x: Operand) -> Expr:
    """Return the angle [rad] whose cosine is x."""
    return apply("arccos", x)


def arctan(x: Operand) -> Expr:
    """Return the angle [rad] whose tangent is x."""
    return apply("arctan", x)


def arctan2(y: Operand, x: Operand) -> Expr:
    """Return the angle [rad] of the point (x, y)."""
    return apply("arctan2", y, x)


def sinh(x: Operand) -> Expr:
    """Return the hyperbolic sine."""
    return apply("sinh", x)


def cosh(x: Operand) -> Expr:
    """Return the hyperbolic cosine."""
    return apply("cosh", x)


def tanh(x: Operand) -> Expr:
    """Return the hyperbolic tangent."""
    return apply("tanh", x)


def arcsinh(x: Operand) -> Expr:
    """Return the inverse of the hyperbolic sine."""
    return apply("arcsinh", x)


def arccosh(x: Operand) -> Expr:
    """Return the inverse of the hyperbolic cosine; NaN below 1."""
    return apply("arccosh", x)


def arctanh(x: Operand) -> Expr:
    """Return the inverse of the hyperbolic tangent; NaN outside [−1, 1]."""
    return apply("arctanh", x)


def hypot(x: Operand, y: Operand) -> Expr:
    """Return √(x² + y²)."""
    return apply("hypot", x, y)


def floor(x: Operand) -> Expr:
    """Return the largest whole number not above x."""
    return apply("floor", x)


def ceil(x: Operand) -> Expr:
    """Return the smallest whole number not below x."""
    return apply("ceil", x)


def minimum(a: Operand, b: Operand) -> Expr:
    """Return the smaller of two values, element by element."""
    return apply("minimum", a, b)


def maximum(a: Operand, b: Operand) -> Expr:
    """Return the larger of two values, element by element."""
    return apply("maximum", a, b)


def where(condition: Expr, a: Operand, b: Operand) -> Expr:
    """Return ``a`` where the condition holds and ``b`` elsewhere.

    >>> import flavorframe as ff
    >>> eta = ff.events().muon.eta
    >>> ff.where(abs(eta) < 1.2, 3.5, 2.0)
    <(3.5 if |muon.eta| < 1.2 else 2), one value per muon>
    """
    return apply("where", condition, a, b)


def pairs(first: Collection, second: Collection | None = None) -> Collection:
    """Return the pairs of elements in each event, to build candidates from.

    Of one collection each pair comes once, in the file's order; of two collections each element
    of the first is paired with each of the second.

    >>> import flavorframe as ff
    >>> mu1, mu2 = ff.pairs(ff.events().muon).members
    >>> ff.mass(mu1, mu2, masses=ff.MUON_MASS)
    <m(muon₁, muon₂), one value per pairs(muon)>
    """
    return _combine(first, first if second is None else second)


def triples(
    first: Collection, second: Collection | None = None, third: Collection | None = None
) -> Collection:
    """Return the triples of elements in each event.

    Equal collections combine without order or repetition: ``triples(jet)`` gives each set of
    three jets once, ``triples(muon, muon, track)`` each pair of muons with each track.
    """
    if (second is None) != (third is None):
        raise ExpressionError("ff.triples() takes one collection or three, not two.")
    if second is None or third is None:
        return _combine(first, first, first)
    return _combine(first, second, third)


def _combine(*collections: Collection) -> Collection:
    for collection in collections:
        if not isinstance(collection, Collection):
            raise ExpressionError(f"{collection!r} is not a collection such as events.muon.")
    return Collection(element(n.Combination(tuple(c.axis for c in collections))))
