"""Efficiencies of cuts, and their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

# The probability beyond one standard deviation on one side: 68.27 % lies between the two.
_TAIL = math.erfc(1 / math.sqrt(2)) / 2


@dataclass(frozen=True)
class Efficiency:
    """A fraction that passed and the ends of its 68.27 % interval.

    Attributes:
        value: The fraction; NaN, as the ends of the interval, where there was nothing to pass.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    low: float
    high: float


def of_counts(passed: int, total: int) -> Efficiency:
    """Return the efficiency of counts, with the interval of Clopper and Pearson.

    >>> of_counts(10, 20).value
    0.5
    """
    if total == 0:
        return Efficiency(math.nan, math.nan, math.nan)
    # The quantiles of beta distributions; scipy.stats would give the same after a longer import.
    from scipy.special import betaincinv

    failed = total - passed
    low = float(betaincinv(passed, failed + 1, _TAIL)) if passed else 0.0
    high = float(betaincinv(passed + 1, failed, 1 - _TAIL)) if failed else 1.0
    return Efficiency(passed / total, low, high)


def of_weights(sumw_passed: float, sumw2_passed: float, sumw: float, sumw2: float) -> Efficiency:
    """Return the efficiency of sums of weights and of squared weights, passed and in total.

    >>> of_weights(10.0, 10.0, 20.0, 20.0).value
    0.5
    """
    if sumw == 0:
        return Efficiency(math.nan, math.nan, math.nan)
    value = sumw_passed / sumw
    # One division after the other: the square of weights that nearly cancel may be too small.
    variance = ((1 - 2 * value) * sumw2_passed + value * value * sumw2) / sumw / sumw
    # Rounding may leave a variance of zero slightly negative.
    sigma = math.sqrt(max(variance, 0.0))
    return Efficiency(value, value - sigma, value + sigma)
