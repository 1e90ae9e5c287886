"""Means of a result: as users hold them, and how they add up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe.result._histograms import (
    CATEGORY,
    VARIATION,
    as_declared,
    hist_axes,
    is_varied,
    labels_of,
    varied,
)

if TYPE_CHECKING:
    from flavorframe.outputs import Histogram


@dataclass(frozen=True)
class Mean:
    """The mean of a quantity; those of two datasets add up.

    Attributes:
        value: The mean, NaN where there is no entry.
        sum_of_weights: The number of entries or, with weights, their sum.
        sum_of_squared_weights: The same of the squares.
        sum_of_squared_deviations: That of the weighted squares of the distances from the mean.
    """

    value: float
    sum_of_weights: float
    sum_of_squared_weights: float
    sum_of_squared_deviations: float

    @property
    def deviation(self) -> float:
        """The standard deviation of the quantity, NaN for less than two entries."""
        free = self.sum_of_weights - _ratio(self.sum_of_squared_weights, self.sum_of_weights)
        return math.sqrt(self.sum_of_squared_deviations / free) if free > 0 else math.nan

    @property
    def error(self) -> float:
        """The uncertainty of the mean, as far as it comes from the number of entries."""
        entries = _ratio(self.sum_of_weights**2, self.sum_of_squared_weights)
        return _ratio(self.deviation, math.sqrt(entries)) if entries > 0 else math.nan

    def __add__(self, other: Mean) -> Mean:
        parts = _together([np.array(part) for part in astuple(self)], astuple(other))
        return Mean(*(float(part) for part in parts))

    def __repr__(self) -> str:
        return (
            f"<{self.value:.6g} ± {self.error:.2g}, standard deviation {self.deviation:.4g}, "
            f"of {self.sum_of_weights:,.6g}>"
        )


def averaged(
    sums: Sequence[Sequence[Any]], output: Histogram, variations: Sequence[str] = ()
) -> Any:
    """Return a mean, or where there are axes a ``hist.Hist`` of means.

    Args:
        sums: The histograms of the sums by power of the quantity, nominally and in each variation.
        output: The first of these sums, as it was declared.
        variations: What the variations are called, the nominal one first; empty if there is one.
    """
    import hist

    axes = hist_axes(output.axes[:-1], variations)
    means = [_means([each.view(flow=True) for each in powers], output) for powers in sums]
    if not axes:
        return Mean(*(float(part) for part in means[0]))
    result = hist.Hist(*axes, storage=hist.storage.WeightedMean())
    view = result.view(flow=True)
    for i, parts in enumerate(means):
        at = i if variations else ...
        for name, part in zip(FIELDS, parts, strict=True):
            view[name][at] = part
    return result


def added_means(a: Any, b: Any) -> Any:
    """Return the sum of two histograms of means; bins that are empty in one are as in the other."""
    total = a.copy()
    view, other = total.view(flow=True), b.view(flow=True)
    parts = _together(*([np.array(each[name]) for name in FIELDS] for each in (view, other)))
    for name, part in zip(FIELDS, parts, strict=True):
        view[name] = part
    return total


def in_variation(value: Any, label: str) -> Any:
    """Return an output in a variation; a mean is one again where it had no other axis."""
    found = varied(value, label)
    if hasattr(found, "axes") or not is_varied(value):
        return found
    return _mean_of(value.view()[labels_of(value, VARIATION).index(label)])


def nominal_means(name: str, value: Any) -> dict[str, Mean]:
    """Return the means that an output is by name, as ``pt`` or ``pt.barrel``; none of others."""
    if isinstance(value, Mean):
        return {name: value}
    if getattr(value, "kind", "") != "MEAN" or any(a.traits.continuous for a in value.axes):
        return {}
    bins = value.view()[0] if is_varied(value) else value.view()
    categories = labels_of(value, CATEGORY)
    if not categories:
        return {name: _mean_of(bins)}
    return {f"{name}.{each}": _mean_of(bins[i]) for i, each in enumerate(categories)}


def _mean_of(inside: Any) -> Mean:
    return Mean(*(float(inside[part]) for part in FIELDS))


def _together(a: Sequence[Any], b: Sequence[Any]) -> tuple[Any, ...]:
    """Return the parts of the means of two samples together."""
    (x, n, squares, deviations), (y, m, more_squares, more_deviations) = a, b
    with np.errstate(all="ignore"):
        mean = np.where(m == 0, x, np.where(n == 0, y, (x * n + y * m) / (n + m)))
        apart = np.where((n == 0) | (m == 0), 0.0, (x - y) ** 2 * n * m / (n + m))
    return mean, n + m, squares + more_squares, deviations + more_deviations + apart


FIELDS = (
    "value", "sum_of_weights", "sum_of_weights_squared", "_sum_of_weighted_deltas_squared",
)  # fmt: skip
"""What bins of means have, as boost-histogram calls it, in the order of `Mean`."""


def _means(views: Sequence[Any], output: Histogram) -> tuple[Any, ...]:
    """Return the parts of a mean by bin, of those bins in which the quantity is a number."""
    inside = [as_declared(np.asarray(view), output.axes)[..., 1] for view in views]
    weights, values, squares = (view["value"] for view in inside)
    with np.errstate(all="ignore"):
        mean = values / weights
    deviations = np.where(weights == 0, 0.0, np.maximum(squares - mean * values, 0.0))
    return mean, weights, inside[0]["variance"], deviations


def _ratio(a: float, b: float) -> float:
    return a / b if b else math.nan
