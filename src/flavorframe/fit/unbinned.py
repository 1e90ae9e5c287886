"""The masses of single candidates that a model is fitted to, taken from an array and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from flavorframe.errors import FitError
from flavorframe.fit.binned import BinnedData, Gaps, binned_data, checked_gaps, with_unit
from flavorframe.fit.components import Array

#: Candidates that a bin has on average, in which χ² and plots of unbinned fits are; and how many
#: bins there are at least and at most.
_PER_BIN, _FEWEST, _MOST = 10, 10, 100


@dataclass(frozen=True, eq=False)
class UnbinnedData:
    """The masses of candidates in the fit range, and their weights.

    ``masses`` has shape (n,), and so have ``weights``, or they are None where each counts one.
    ``unit`` is that of the masses.
    """

    masses: Array
    range: tuple[float, float]
    weights: Array | None = None
    gaps: Gaps = ()
    axis_label: str = "mass"
    unit: str = ""

    @property
    def total(self) -> float:
        """The number of candidates, or the sum of their weights."""
        return float(len(self.masses) if self.weights is None else self.weights.sum())

    @property
    def counted(self) -> int:
        """How many candidates there are."""
        return len(self.masses)

    @property
    def worth(self) -> int:
        """How many candidates without weights would tell as much: (Σw)² / Σw²."""
        if self.weights is None:
            return self.counted
        return int(self.total**2 / (self.weights**2).sum())

    @property
    def segments(self) -> Array:
        """Ends of the parts of the range that are fitted, one part after the other, rising."""
        return np.array([self.range[0], *(end for gap in self.gaps for end in gap), self.range[1]])

    @cached_property
    def bins(self) -> BinnedData:
        """The candidates in bins, for χ², plots and start values; gaps are bins of their own."""
        low, high = self.range
        count = np.clip(self.counted // _PER_BIN, _FEWEST, _MOST)
        width = (high - low) / count
        ends = self.segments
        pieces = [
            np.linspace(begin, end, max(1, round((end - begin) / width)) + 1)[:-1]
            for begin, end in pairwise(ends)
        ]
        edges = np.append(np.concatenate(pieces), high)
        values = np.histogram(self.masses, edges, weights=self.weights)[0].astype(np.float64)
        squares = None
        if self.weights is not None:
            squares = np.histogram(self.masses, edges, weights=self.weights**2)[0]
        return BinnedData(edges, values, squares, self.axis_label, self.unit, self.gaps)


Data = BinnedData | UnbinnedData


def fit_data_of(
    given: Any,
    range: tuple[float, float],
    unit: str,
    *,
    weights: Any = None,
    gaps: Sequence[tuple[float, float]] = (),
) -> Data:
    """Take a histogram, or an array of masses, as what a model on ``range`` is fitted to.

    Raises FitError, naming what is wrong, for anything that cannot be fitted. What has been taken
    before, such as pseudo-experiments, is taken as it is.
    """
    if isinstance(given, (BinnedData, UnbinnedData)):
        _require_range(given.bins, range, unit)
        return given
    gaps = checked_gaps(gaps, range, unit)
    if _is_array(given):
        return _unbinned(given, weights, range, unit, gaps)
    if weights is not None:
        raise FitError(
            "weights= are those of single candidates; a histogram has its own: fill it with "
            "weights, in a storage that keeps their squares, hist.storage.Weight()"
        )
    return binned_data(given, range, unit, gaps)


def _require_range(bins: BinnedData, range: tuple[float, float], unit: str) -> None:
    ends = bins.edges[[0, -1]]
    if not np.allclose(ends, range, rtol=0, atol=1e-6 * (ends[1] - ends[0])):
        raise FitError(
            f"these data are of {ends[0]:g}–{with_unit(f'{ends[1]:g}', unit)}, the model is on "
            f"{range[0]:g}–{with_unit(f'{range[1]:g}', unit)}: give it the same range"
        )


def _is_array(given: Any) -> bool:
    """Whether these are masses: a list, or what numpy makes an array of and is no histogram."""
    if any(hasattr(given, name) for name in ("to_hist", "GetSumw2N")):
        return False
    if hasattr(given, "axes") and not hasattr(given, "iloc"):  # columns of pandas have axes, too
        return False
    return isinstance(given, (list, tuple)) or hasattr(given, "__array__")


def _unbinned(
    given: Any, weights: Any, range: tuple[float, float], unit: str, gaps: Gaps
) -> UnbinnedData:
    masses = column(given, "masses")
    weight = None if weights is None else column(weights, "weights")
    if weight is not None and weight.shape != masses.shape:
        raise FitError(
            f"there are {len(masses)} masses and {len(weight)} weights; give one for each"
        )
    inside = (range[0] <= masses) & (masses <= range[1])
    for low, high in gaps:
        inside &= (masses < low) | (masses >= high)
    data = UnbinnedData(
        masses[inside],
        range,
        None if weight is None else weight[inside],
        gaps,
        f"mass [{unit}]" if unit else "mass",
        unit,
    )
    if not data.total > 0:
        what = "candidates" if weight is None else "weights of a sum above zero"
        ends = with_unit(f"{range[0]:g} and {range[1]:g}", unit)
        raise FitError(f"the masses have no {what} between {ends}; nothing to fit{_told(masses)}")
    return data


def column(given: Any, what: str) -> Array:
    """Return numbers, one for each candidate, as an array; FitError for what is none."""
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise FitError(
            f"the {what} of a fit are numbers, one for each candidate, none missing: {why}"
        ) from error
    if np.ma.is_masked(given):
        missing = int(np.ma.getmaskarray(given).sum())
        raise FitError(f"{missing} of the {what} are missing; leave them out")
    if found.ndim != 1:
        raise FitError(
            f"the {what} of a fit are one number for each candidate, not of shape {found.shape}"
        )
    bad = np.flatnonzero(~np.isfinite(found))
    if len(bad):
        raise FitError(
            f"{len(bad)} of the {what} are NaN or infinite, the first at {bad[0]}; leave them out"
        )
    return found


def _told(masses: Array) -> str:
    return f": they are from {masses.min():g} to {masses.max():g}" if len(masses) else ": no masses"
