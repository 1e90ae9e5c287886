"""Backgrounds beyond the exponential: polynomials, Argus, and what rises from a threshold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flavorframe.fit.components import Array, Component, Kind, Shape, between_ends
from flavorframe.fit.formula import Term


@dataclass(frozen=True)
class Chebyshev(Component):
    """A background 1 + c₁·T₁(u) + c₂·T₂(u) + …, with u from −1 to 1 over the fit range.

    It may be negative, which the fit then reports; `Bernstein` need not be.

    Args:
        coefficients: c₁, c₂, …: as many as the degree.

    Example:
        >>> from flavorframe.fit import Parameter
        >>> slope = Parameter("c1", 0.0, limits=(-1, 1))
        >>> line = Chebyshev("background", (slope,))
        >>> line.cumulative(np.array([1.0, 1.5, 2.0]), 0.0)
        array([0. , 0.5, 1. ])
    """

    coefficients: tuple[Term, ...]
    kind: Kind = field(default="background", kw_only=True)

    def cumulative(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from numpy.polynomial.chebyshev import chebint, chebval

        u = _scaled(edges, edges[0], edges[-1])
        return between_ends(np.asarray(chebval(u, chebint([1.0, *values])), dtype=np.float64))

    def density(self, masses: Array, range: tuple[float, float], *values: float) -> Array:  # noqa: D102
        from numpy.polynomial.chebyshev import chebint, chebval

        coefficients = [1.0, *values]
        low, high = (
            chebval(np.array([-1.0, 1.0]), chebint(coefficients)) * (range[1] - range[0]) / 2
        )
        found: Array = chebval(_scaled(masses, *range), coefficients) / (high - low)
        return found


@dataclass(frozen=True)
class Bernstein(Component):
    """A background that is a sum of Bernstein polynomials over the fit range.

    With coefficients of zero or above it is nowhere negative. Their common factor has no meaning:
    that of the first polynomial is one.

    Args:
        coefficients: Those of all polynomials but the first: as many as the degree.

    Example:
        >>> from flavorframe.fit import Parameter
        >>> end = Parameter("b1", 1.0, limits=(0, 10))
        >>> Bernstein("background", (end,)).cumulative(np.array([1.0, 1.5, 2.0]), 1.0)
        array([0. , 0.5, 1. ])
    """

    coefficients: tuple[Term, ...]
    kind: Kind = field(default="background", kw_only=True)

    def cumulative(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import bernstein

        beta = np.array([1.0, *values])
        return between_ends(bernstein.integral(edges, beta, edges[0], edges[-1]))

    def density(self, masses: Array, range: tuple[float, float], *values: float) -> Array:  # noqa: D102
        from numba_stats import bernstein

        beta = np.array([1.0, *values])
        low, high = bernstein.integral(np.array(range), beta, *range)
        found: Array = bernstein.density(masses, beta, *range) / (high - low)
        return found


@dataclass(frozen=True)
class Argus(Shape):
    """A background that ends at a mass that phase space allows, m · √(1 − x²) · exp(−χ²(1 − x²)/2).

    Here x is the mass over that of the end. Source: ARGUS, PLB 241 (1990) 278.

    Args:
        end: The highest mass that is possible [GeV].
        chi: The curvature χ, above zero.
    """

    end: Term
    chi: Term
    kind: Kind = field(default="background", kw_only=True)

    def integral(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from scipy.special import gammainc

        end, chi = values
        rest = np.clip(1 - (edges / end) ** 2, 0.0, 1.0)
        # With y = χ²(1 − x²)/2 it is the integral of √y · exp(−y), and falls where m rises.
        return -gammainc(1.5, chi**2 / 2 * rest)  # type: ignore[no-any-return]

    def height(self, masses: Array, *values: float) -> Array:  # noqa: D102
        from scipy.special import gamma

        end, chi = values
        y = chi**2 / 2 * np.clip(1 - (masses / end) ** 2, 0.0, 1.0)
        found: Array = np.sqrt(y) * np.exp(-y) / gamma(1.5) * chi**2 * masses / end**2
        return found


@dataclass(frozen=True)
class Threshold(Shape):
    """A background that begins at a mass: (m − start)^power · exp(−(m − start) · slope).

    So is that of m(D*) − m(D⁰) at the mass of the pion.

    Args:
        start: The lowest mass that is possible [GeV].
        power: How it rises, above −1; ½ as phase space does.
        slope: How it falls off [1/GeV], above zero.
    """

    start: Term
    power: Term
    slope: Term
    kind: Kind = field(default="background", kw_only=True)

    def integral(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from scipy.special import gammainc

        start, power, slope = values
        return gammainc(power + 1, slope * np.maximum(edges - start, 0.0))  # type: ignore[no-any-return]

    def height(self, masses: Array, *values: float) -> Array:  # noqa: D102
        from scipy.special import gamma

        start, power, slope = values
        distance = masses - start
        inside = np.where(distance > 0, slope * distance, 1.0)
        heights = slope * inside**power * np.exp(-inside) / gamma(power + 1)
        found: Array = np.where(distance > 0, heights, 0.0)
        return found


def _scaled(masses: Array, low: float, high: float) -> Array:
    return (2 * masses - (low + high)) / (high - low)
