"""Functions that build expressions, named as in numpy."""

from __future__ import annotations

from flavorframe._expr.expression import Expr, Operand, apply


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
    """Return one value where a condition holds and another elsewhere.

    Args:
        condition: A condition with one truth value per event or element.
        a: The value where it holds.
        b: The value where it does not.

    Returns:
        An expression on the joint axis of the three.

    Raises:
        ExpressionError: They are of two collections, or strings.

    Example:
        >>> import flavorframe as ff
        >>> eta = ff.events().muon.eta
        >>> ff.where(abs(eta) < 1.2, 3.5, 2.0)
        <(3.5 if |muon.eta| < 1.2 else 2), one value per muon>

    """
    return apply("where", condition, a, b)
