"""Weighted histograms that add up without rounding, whatever the partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from flavorframe.engines._exact import Array, ExactSums


class WeightedHistogram:
    """Sums of weights and of squared weights by bin; its axes are boost-histogram's."""

    def __init__(self, axes: Sequence[Any]) -> None:
        self.axes = tuple(axes)
        self._shape = tuple(axis.extent for axis in self.axes)
        self._values = ExactSums(int(np.prod(self._shape)))
        self._variances = ExactSums(int(np.prod(self._shape)))

    def fill(self, *values: Array, weight: Array) -> WeightedHistogram:
        """Add entries: an array of shape (n,) for each axis, and the weights."""
        return self.add(self.bins(*values), weight)

    def bins(self, *values: Array) -> Array:
        """Return the number of the bin of each entry, flow included; see `fill`."""
        bins = [_bins(axis, value) for axis, value in zip(self.axes, values, strict=True)]
        return np.ravel_multi_index(tuple(bins), self._shape)

    def add(self, bins: Array, weight: Array) -> WeightedHistogram:
        """Add entries to bins that `bins` has found; both are of shape (n,)."""
        self._values.add(bins, weight)
        self._variances.add(bins, weight**2)
        return self

    def add_sums(self, values: Array, variances: Array) -> None:
        """Add sums of weights and of squared weights by bin, flow included."""
        bins = np.arange(values.size)
        self._values.add(bins, values.reshape(-1))
        self._variances.add(bins, variances.reshape(-1))

    def __add__(self, other: WeightedHistogram) -> WeightedHistogram:
        added = WeightedHistogram(self.axes)
        added._values = self._values + other._values
        added._variances = self._variances + other._variances
        return added

    @property
    def storage_type(self) -> Any:
        """The storage of the histogram that `rounded` gives."""
        import boost_histogram as bh

        return bh.storage.Weight

    def rounded(self) -> Any:
        """Return a boost-histogram with each sum rounded once."""
        import boost_histogram as bh

        histogram = bh.Histogram(*self.axes, storage=bh.storage.Weight())
        view = histogram.view(flow=True)
        view["value"] = self._values.rounded().reshape(self._shape)
        view["variance"] = self._variances.rounded().reshape(self._shape)
        return histogram

    def view(self, flow: bool = False) -> Any:
        """Return values and variances by bin, with ``flow`` under- and overflow too."""
        return self.rounded().view(flow=flow)


def _bins(axis: Any, values: Array) -> Array:
    """Return the number of the bin of each value, 0 for the underflow."""
    if not len(values):  # which some versions of boost-histogram take for a string
        return np.empty(0, np.intp)
    return np.asarray(axis.index(values), np.intp) + 1
