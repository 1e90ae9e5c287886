"""Efficiencies of cuts, in bins too, and their intervals."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe._expr.binned_corrections import NOMINAL, Binned, as_text, binned
from flavorframe._expr.corrections import CallableCorrection, made_of
from flavorframe.errors import CorrectionError

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


def efficiency_map(
    passed: Any, total: Any, *, name: str = "efficiency", flow: float | str = "error"
) -> CallableCorrection:
    """Make a correction of an efficiency in bins: that of what passed a cut, by two histograms.

    Args:
        passed: A histogram of what passed, as a result has it.
        total: The same of all.
        name: What formulas, and the correctionlib file, call it.
        flow: What holds outside of the bins, as for `flavorframe.correction`.

    Returns:
        A function of expressions by the names of the histograms' axes. With ``systematic="up"`` or
        ``"down"`` it is the end of the 68.27 % interval, of Clopper and Pearson for counts. Its
        ``to_json(path)`` writes it as correctionlib reads it.

    Raises:
        CorrectionError: The histograms have other axes, or more passed than there were.

    Warns:
        UserWarning: Some bins are empty. Their efficiency is 0, and 1 at the upper end.

    Example:
        >>> import hist, flavorframe as ff
        >>> total = hist.Hist(hist.axis.Variable([2, 5, 10], name="pt"), storage="Int64")
        >>> total.view()[:] = [10, 20]
        >>> passed = total.copy()
        >>> passed.view()[:] = [9, 19]
        >>> trigger = ff.efficiency_map(passed, total, name="trigger")
        >>> trigger(ff.events().muon.pt)
        <trigger(pt = muon.pt, systematic = 'nominal'), one value per muon>
    """
    some, every = binned(passed, "passed"), binned(total, "total")
    _check_bins(some, every)
    found = _in_bins(some, every)
    empty = sum(math.isnan(each.value) for each in found)
    if empty:
        warnings.warn(
            f"{empty} of {len(found)} bins of {name} are empty: their efficiency is 0, between 0 "
            "and 1.",
            stacklevel=2,
        )
        found = [Efficiency(0, 0, 1) if math.isnan(each.value) else each for each in found]
    contents = {
        systematic: np.array([getattr(each, end) for each in found]).reshape(some.values.shape)
        for systematic, end in {NOMINAL: "value", "up": "high", "down": "low"}.items()
    }
    return made_of(as_text(some, name, contents, flow), "two histograms", name)


def _check_bins(passed: Binned, total: Binned) -> None:
    pairs = zip(passed.edges, total.edges, strict=False)
    if passed.names != total.names or not all(np.array_equal(a, b) for a, b in pairs):
        raise CorrectionError("passed and total have other bins: fill both on the same axes.")
    if (passed.values > total.values).any():
        raise CorrectionError("passed has more in a bin than total: are they swapped?")


def _in_bins(passed: Binned, total: Binned) -> list[Efficiency]:
    """Return the efficiency in each bin, of counts or of weights."""
    values = zip(passed.values.flat, total.values.flat, strict=True)
    if _counts(passed) and _counts(total):
        return [of_counts(int(a), int(b)) for a, b in values]
    if passed.variances is None or total.variances is None:
        raise CorrectionError("passed and total have weights but no variances: fill hist.Weight().")
    squares = zip(passed.variances.flat, total.variances.flat, strict=True)
    return [of_weights(a, aa, b, bb) for (a, b), (aa, bb) in zip(values, squares, strict=True)]


def _counts(histogram: Binned) -> bool:
    whole = np.array_equal(histogram.values, np.floor(histogram.values))
    return whole and (
        histogram.variances is None or np.array_equal(histogram.values, histogram.variances)
    )
