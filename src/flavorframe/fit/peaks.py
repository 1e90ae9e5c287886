"""Peaks beyond the Gaussian and the Crystal Ball of one tail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flavorframe.fit.components import Array, Shape
from flavorframe.fit.formula import Term

#: Points and weights of Gauss and Legendre on [−1, 1]; exact for polynomials of degree 15.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(8)

#: Pieces of a bin, at most, in which a peak is integrated.
_MOST_PIECES = 400


@dataclass(frozen=True)
class DoubleCrystalBall(Shape):
    """A Gaussian peak with a power-law tail on either side.

    Args:
        mean: Mean of the Gaussian [GeV].
        sigma: Its standard deviation [GeV].
        alpha_low: How many ``sigma`` below the mean the lower tail begins, above zero.
        n_low: The power with which the lower tail falls, above one.
        alpha_high: How many ``sigma`` above the mean the upper tail begins, above zero.
        n_high: The power with which the upper tail falls, above one.

    Example:
        >>> from flavorframe.fit import Parameter
        >>> names = ("mean", "sigma", "alpha_low", "n_low", "alpha_high", "n_high")
        >>> parameters = [Parameter(name, 1.5, limits=(0.001, 9)) for name in names]
        >>> peak = DoubleCrystalBall("Bs", *parameters)
        >>> peak.cumulative(np.array([5.0, 5.37, 5.74]), 5.37, 0.02, 1.5, 3.0, 1.5, 3.0).round(4)
        array([0. , 0.5, 1. ])
    """

    mean: Term
    sigma: Term
    alpha_low: Term
    n_low: Term
    alpha_high: Term
    n_high: Term

    def integral(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import crystalball_ex

        return crystalball_ex.cdf(edges, *_two_tails(*values))  # type: ignore[no-any-return]

    def height(self, masses: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import crystalball_ex

        return crystalball_ex.pdf(masses, *_two_tails(*values))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class JohnsonSU(Shape):
    """A peak whose skewness and tails are free: γ + δ · asinh((m − mean) / sigma) is normal.

    Source: N. L. Johnson, Biometrika 36 (1949) 149.

    Args:
        mean: Where the peak would be without skewness [GeV].
        sigma: Its scale [GeV].
        gamma: Its skewness; zero for a symmetric peak.
        delta: How light its tails are, above zero.
    """

    mean: Term
    sigma: Term
    gamma: Term
    delta: Term

    def integral(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import norm

        mean, sigma, gamma, delta = values
        normal = gamma + delta * np.arcsinh((edges - mean) / sigma)
        return norm.cdf(normal, 0.0, 1.0)  # type: ignore[no-any-return]

    def height(self, masses: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import norm

        mean, sigma, gamma, delta = values
        distance = (masses - mean) / sigma
        normal = gamma + delta * np.arcsinh(distance)
        found: Array = norm.pdf(normal, 0.0, 1.0) * delta / (sigma * np.hypot(1.0, distance))
        return found


@dataclass(frozen=True)
class StudentT(Shape):
    """A symmetric peak with tails of a power: Student's t distribution.

    Args:
        mean: Its middle [GeV].
        sigma: Its scale [GeV].
        n: Degrees of freedom, above zero: the tails fall with the power n + 1.
    """

    mean: Term
    sigma: Term
    n: Term

    def integral(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import t

        mean, sigma, n = values
        return t.cdf(edges, n, mean, sigma)  # type: ignore[no-any-return]

    def height(self, masses: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import t

        mean, sigma, n = values
        return t.pdf(masses, n, mean, sigma)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Voigt(Shape):
    """A resonance with a width of its own, seen with a Gaussian resolution.

    Args:
        mean: The mass of the resonance [GeV].
        width: Its full width at half maximum Γ [GeV], above zero.
        sigma: The resolution [GeV], above zero.
    """

    mean: Term
    width: Term
    sigma: Term

    def integral(self, edges: Array, *values: float) -> Array:  # noqa: D102
        # No closed form is known: each bin is integrated in pieces no wider than the peak.
        _, width, sigma = values
        widest = float(np.diff(edges).max())
        wanted = widest / max(sigma + width / 2, widest / _MOST_PIECES)
        steps = np.linspace(0.0, 1.0, int(np.ceil(wanted)) + 1)
        low = edges[:-1, np.newaxis] + np.diff(edges)[:, np.newaxis] * steps[:-1]
        half = np.diff(edges)[:, np.newaxis, np.newaxis] * (steps[1] / 2)
        masses = low[:, :, np.newaxis] + half * (1 + _POINTS)
        heights = self.height(masses.ravel(), *values).reshape(masses.shape)
        return np.concatenate([[0.0], np.cumsum((heights * _WEIGHTS * half).sum(axis=(1, 2)))])

    def height(self, masses: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import voigt

        mean, width, sigma = values
        return voigt.pdf(masses, width / 2, mean, sigma)  # type: ignore[no-any-return]


def _two_tails(
    mean: float, sigma: float, alpha_low: float, n_low: float, alpha_high: float, n_high: float
) -> tuple[float, ...]:
    """Return the values in the order of numba-stats, which has a width for either side."""
    return (alpha_low, n_low, sigma, alpha_high, n_high, sigma, mean)
