"""The binned data that a model is fitted to, taken from a histogram and checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flavorframe.errors import FitError
from flavorframe.fit.components import Array

ENERGIES = ("MeV", "GeV", "TeV")
"""Units of mass that labels of axes have at their end, in brackets."""

Gaps = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class BinnedData:
    """Counts of candidates, or sums of weights, in the bins of the fit range.

    ``edges`` has shape (bins + 1,), ``values`` shape (bins,), and so has ``variances``: the sums of
    squared weights, or None where the values are counts. ``unit`` is that of the edges. Bins in
    ``gaps`` are not looked at: their values and variances are zero.
    """

    edges: Array
    values: Array
    variances: Array | None = None
    axis_label: str = "mass"
    unit: str = ""
    gaps: Gaps = ()

    @property
    def bins(self) -> BinnedData:
        """These data, which have bins already."""
        return self

    @property
    def total(self) -> float:
        """The number of candidates, or the sum of their weights."""
        return float(self.values.sum())

    @property
    def worth(self) -> int:
        """How many numbers there are to fit to: bins with candidates."""
        return int(np.count_nonzero(self.values))

    @property
    def used(self) -> NDArray[np.bool_]:
        """Which bins are fitted: those whose centre is in no gap, shape (bins,)."""
        used = np.ones(len(self.values), dtype=np.bool_)
        for low, high in self.gaps:
            used &= (self.centers < low) | (self.centers >= high)
        return used

    @property
    def covered(self) -> float:
        """The fraction of the range that is in no gap."""
        widths = np.diff(self.edges)
        return float(widths[self.used].sum() / widths.sum())

    @property
    def centers(self) -> Array:
        """The middle of each bin, shape (bins,)."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    @property
    def for_cost(self) -> Array:
        """What `iminuit.cost` takes: counts, or (sum of weights, sum of squares) for each bin."""
        if self.variances is None:
            return self.values
        return np.stack([self.values, self.variances], axis=1)

    @property
    def scale(self) -> Array:
        """Equivalent counts per unit of weight in each bin, shape (bins,); 1 for counts.

        A sum of weights times this scale is treated as a Poisson count. An empty bin has the median
        scale of the others. Source: G. Bohm, G. Zech, NIM A 748 (2014) 1, as used in iminuit.
        """
        if self.variances is None:
            return np.ones_like(self.values)
        filled = self.variances > 0
        scale = np.abs(self.values[filled]) / self.variances[filled]
        everywhere = np.full_like(self.values, np.median(scale))
        everywhere[filled] = scale
        return everywhere


def checked_gaps(
    gaps: Sequence[tuple[float, float]], range: tuple[float, float], unit: str
) -> Gaps:
    """Return gaps in the order of mass; FitError unless they lie in the range, one by one."""
    ordered = tuple(sorted((float(low), float(high)) for low, high in gaps))
    ends = [range[0], *(end for gap in ordered for end in gap), range[1]]
    if ordered and not all(low < high for low, high in pairwise(ends)):
        told = ", ".join(f"{low:g}–{high:g}" for low, high in ordered)
        raise FitError(
            f"the gaps {with_unit(told, unit)} must lie apart from each other within the fit range "
            f"{with_unit(f'{range[0]:g}–{range[1]:g}', unit)}; at its ends, make the range smaller"
        )
    return ordered


def binned_data(
    histogram: Any, range: tuple[float, float], unit: str = "", gaps: Gaps = ()
) -> BinnedData:
    """Take the bins of a one-dimensional ``hist.Hist`` or TH1 that lie in ``range``.

    ``unit`` is that of the range. Raises FitError, naming what is wrong, for anything that cannot
    be fitted: not a histogram of counts or weights, more than one axis, an axis in another unit,
    edges that miss the range, NaN, negative counts, or nothing in the range. Binned data, such as
    those of a pseudo-experiment, are taken as they are.
    """
    if isinstance(histogram, BinnedData):
        return histogram
    histogram = _as_hist(histogram)
    axis = _only_axis(histogram)
    label = _label(axis, unit)
    _require_unit(label, unit)
    edges = np.asarray(axis.edges, dtype=np.float64)
    first, last = (_edge_at(edges, limit, range, unit) for limit in range)
    values = np.asarray(histogram.values(), dtype=np.float64)[first:last]
    variances = _variances(histogram)
    if variances is not None:
        variances = variances[first:last]
    for limit in (end for gap in gaps for end in gap):
        _edge_at(edges, limit, range, unit)
    data = _without_gaps(BinnedData(edges[first : last + 1], values, variances, label, unit, gaps))
    _require_usable(data)
    return data


def _without_gaps(data: BinnedData) -> BinnedData:
    if not data.gaps:
        return data
    return replace(
        data,
        values=np.where(data.used, data.values, 0.0),
        variances=None if data.variances is None else np.where(data.used, data.variances, 0.0),
    )


def _as_hist(histogram: Any) -> Any:
    """Return a histogram of ROOT, or of uproot, as a ``hist.Hist``, and others as they are."""
    if hasattr(histogram, "to_hist"):
        return histogram.to_hist()
    if not (hasattr(histogram, "GetSumw2N") and histogram.GetDimension() == 1):
        return histogram
    import hist

    ends = histogram.GetXaxis()
    edges = [ends.GetBinLowEdge(i) for i in range(1, ends.GetNbins() + 2)]
    axis = hist.axis.Variable(edges, label=str(ends.GetTitle()))
    weighted = hist.Hist(axis, storage=hist.storage.Weight())
    weighted[...] = np.stack([histogram.values(), histogram.variances()], axis=1)
    return weighted


def _only_axis(histogram: Any) -> Any:
    axes = getattr(histogram, "axes", None)
    if axes is None:
        raise FitError(
            f"a fit needs a hist.Hist or a TH1 of ROOT or uproot, not {type(histogram).__name__}"
        )
    if any(axis.traits.discrete for axis in axes) and len(axes) > 1:
        raise FitError(_choice(axes))
    if len(axes) != 1:
        names = ", ".join(repr(getattr(axis, "label", "")) for axis in axes)
        raise FitError(
            f"a fit needs a histogram of one axis, this one has {len(axes)} ({names}); "
            "project it on the mass axis, h.project(0)"
        )
    if not axes[0].traits.continuous:
        raise FitError("a fit needs an axis of mass bins; this one has categories or integers")
    return axes[0]


def _choice(axes: Any) -> str:
    """Return how to choose one of the variations or categories that a histogram has."""
    discrete = [axis for axis in axes if axis.traits.discrete]
    have = " and ".join(
        f"an axis {axis.name!r} of {', '.join(map(str, axis))}" for axis in discrete
    )
    one = ", ".join(f"{axis.name!r}: {axis.value(0)!r}" for axis in discrete)
    told = f"a fit needs a histogram of one axis, this one has {have} too: fit one, h[{{{one}}}]"
    for axis in discrete:
        if axis.name == "variation" and len(axis) > 1:
            told += (
                "; a result or region without this axis is result.nominal, or "
                f"result.varied({axis.value(1)!r})"
            )
    if [axis.name for axis in discrete] == ["category"]:
        told += ", or all at once, as spectra of an ff.fit.JointModel"
    return told


def _label(axis: Any, unit: str) -> str:
    label = getattr(axis, "label", "")
    if label in ("", "Axis 0"):  # as hist calls an axis without a label
        return f"mass [{unit}]" if unit else "mass"
    return str(label)


def _require_unit(label: str, unit: str) -> None:
    told = re.search(r"\[(\w+)\]\s*$", label)
    if told and unit and told[1] != unit and {told[1], unit} <= {*ENERGIES}:
        raise FitError(
            f"the histogram is in {told[1]}, as its axis {label!r} says, and the model is in "
            f"{unit}: give range, parameters and windows of the model in {told[1]}, or fill a "
            f"quantity in {unit}, such as t.mass / ff.{unit}"
        )


def _edge_at(edges: Array, limit: float, range: tuple[float, float], unit: str) -> int:
    nearest = int(np.argmin(np.abs(edges - limit)))
    # Edges that are computed as low + i·width differ from the decimal number by rounding.
    if abs(edges[nearest] - limit) > 1e-6 * (edges[-1] - edges[0]):
        if limit not in range:
            raise FitError(
                f"a gap must begin and end at bin edges; that nearest to {limit:g} is at "
                f"{with_unit(f'{edges[nearest]:g}', unit)}"
            )
        raise FitError(
            f"the fit range {with_unit(f'{range[0]:g}–{range[1]:g}', unit)} must begin and end at "
            f"bin edges; the axis goes from {edges[0]:g} to {edges[-1]:g}, its edge nearest to "
            f"{limit:g} is at {edges[nearest]:g}. Book the histogram with range=({range[0]:g}, "
            f"{range[1]:g})"
        )
    return nearest


def _variances(histogram: Any) -> Array | None:
    if histogram.kind.name != "COUNT":
        raise FitError("a fit needs a histogram of counts or weights, not of means of a quantity")
    if histogram.view().dtype.kind in "iu":  # counts, though a sum of histograms may not say so
        return None
    variances = histogram.variances()
    if variances is None:
        raise FitError(
            "the histogram was filled or scaled with weights but does not keep their squares; "
            "use a storage that does, hist.storage.Weight()"
        )
    weighted = "variance" in (histogram.view().dtype.names or ())
    return np.asarray(variances, dtype=np.float64) if weighted else None


def _require_usable(data: BinnedData) -> None:
    low, high = data.edges[0], data.edges[-1]
    if not np.isfinite(data.for_cost).all():
        where = data.centers[~np.isfinite(data.for_cost.reshape(len(data.values), -1)).all(axis=1)]
        raise FitError(f"the histogram has NaN or infinity in the bin at {_at(where, data)}")
    if data.variances is None and (data.values < 0).any():
        where = data.centers[data.values < 0]
        raise FitError(
            f"the histogram of counts is negative in the bin at {_at(where, data)}; "
            "for subtracted or weighted data use hist.storage.Weight()"
        )
    if data.values.sum() <= 0:
        raise FitError(
            f"the histogram has no candidates between {low:g} and "
            f"{with_unit(f'{high:g}', data.unit)}; nothing to fit"
        )


def _at(places: Array, data: BinnedData) -> str:
    return with_unit(f"{places[0]:.4g}", data.unit)


def with_unit(number: str, unit: str) -> str:
    """Return a number with its unit, if it has one.

    >>> with_unit("1.97", "GeV"), with_unit("1.97", "")
    ('1.97 GeV', '1.97')
    """
    return f"{number} {unit}".rstrip()
