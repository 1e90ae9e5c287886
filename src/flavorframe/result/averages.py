"""Means of a result, made of their sums, and how those by bin add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe.result._histograms import as_declared, hist_axes
from flavorframe.result.mean import FIELDS, Mean, together

if TYPE_CHECKING:
    from flavorframe.outputs import Histogram


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
    parts = together(*([np.array(each[name]) for name in FIELDS] for each in (view, other)))
    for name, part in zip(FIELDS, parts, strict=True):
        view[name] = part
    return total


def _means(views: Sequence[Any], output: Histogram) -> tuple[Any, ...]:
    """Return the parts of a mean by bin, of those bins in which the quantity is a number."""
    inside = [as_declared(np.asarray(view), output.axes)[..., 1] for view in views]
    weights, values, squares = (view["value"] for view in inside)
    with np.errstate(all="ignore"):
        mean = values / weights
    deviations = np.where(weights == 0, 0.0, np.maximum(squares - mean * values, 0.0))
    return mean, weights, inside[0]["variance"], deviations
