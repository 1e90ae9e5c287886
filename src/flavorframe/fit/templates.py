"""Shapes that were not computed but counted: histograms, and kernel estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe.errors import FitError
from flavorframe.fit.binned import binned_data
from flavorframe.fit.components import Array, Component, Kind, between_ends

#: Fine bins of a kernel estimate.
_FINE = 2000


@dataclass(frozen=True)
class Template(Component):
    """A shape as a simulation or a control sample has it: the contents of bins, flat in each.

    Take `Template.of_histogram` or `Template.of_candidates`, and not this directly. Errors of the
    bins enter the likelihood (H. Dembinski, A. Abdelmotteleb, EPJC 82 (2022) 1043, a form of that
    of R. Barlow and C. Beeston), for histograms with the edges of the template.

    Args:
        edges: Edges of the bins [GeV], rising.
        contents: What is in them.
        variances: The variances of the contents; empty where they are taken as exact.
    """

    edges: tuple[float, ...]
    contents: tuple[float, ...]
    variances: tuple[float, ...] = ()

    @classmethod
    def of_histogram(
        cls,
        name: str,
        histogram: Any,
        *,
        kind: Kind = "signal",
        errors: bool = True,
        title: str = "",
    ) -> Template:
        """Return the shape of a histogram.

        Args:
            name: The name of the component.
            histogram: A one-dimensional ``hist.Hist``, or a TH1.
            kind: "signal" or "background".
            errors: Whether the errors of its bins enter the fit.
            title: What plots call it.

        Raises:
            FitError: For a histogram that is empty or negative, or is none.

        Example:
            >>> import hist
            >>> simulated = hist.Hist.new.Reg(3, 1.0, 2.5).Int64().fill([1.1, 1.6, 1.7, 2.2])
            >>> Template.of_histogram("Ds", simulated).contents
            (1.0, 2.0, 1.0)
        """
        axis = getattr(histogram, "axes", [None])[0]
        ends = (-np.inf, np.inf) if axis is None else (axis.edges[0], axis.edges[-1])
        data = binned_data(histogram, (float(ends[0]), float(ends[1])))
        if (data.values < 0).any():
            raise FitError(f"the histogram of the template {name!r} has bins below zero")
        variances = data.values if data.variances is None else data.variances
        spread = tuple(variances.tolist()) if errors else ()
        return cls(
            name,
            tuple(data.edges.tolist()),
            tuple(data.values.tolist()),
            spread,
            kind=kind,
            title=title,
        )

    @classmethod
    def of_candidates(
        cls,
        name: str,
        masses: Any,
        range: tuple[float, float],
        *,
        bandwidth: float | None = None,
        kind: Kind = "background",
        title: str = "",
    ) -> Template:
        """Return a kernel estimate: the sum of a narrow Gaussian at each candidate.

        Args:
            name: The name of the component.
            masses: Masses [GeV], shape (n,), also from beyond the range: what is missing there is
                missing at its ends.
            range: Lowest and highest mass of the estimate.
            bandwidth: Width of the Gaussians [GeV]; by default 1.06 · σ · n^(−1/5), as D. W.
                Scott has it.
            kind: "signal" or "background".
            title: What plots call it.

        Raises:
            FitError: For fewer than two candidates, or a width that is not above zero.
        """
        found = np.asarray(masses, dtype=np.float64)
        if len(found) < 2 or not np.isfinite(found).all():
            raise FitError(f"the kernel estimate {name!r} needs two or more finite masses")
        width = (
            1.06 * np.std(found, ddof=1) * len(found) ** -0.2 if bandwidth is None else bandwidth
        )
        if not width > 0:
            raise FitError(
                f"the kernel estimate {name!r} needs a bandwidth above zero, not {width:g}"
            )
        edges = np.linspace(*range, _FINE + 1)
        contents = np.diff(_smeared(edges, found, width))
        return cls(name, tuple(edges.tolist()), tuple(contents.tolist()), kind=kind, title=title)

    def __post_init__(self) -> None:
        if len(self.contents) != len(self.edges) - 1 or not sum(self.contents) > 0:
            raise FitError(
                f"the template {self.name!r} needs one edge more than bins, and contents above zero"
            )

    def cumulative(self, edges: Array, *values: float) -> Array:  # noqa: D102
        below = np.append(0.0, np.cumsum(self.contents))
        return between_ends(np.interp(edges, self.edges, below))

    @property
    def inexact(self) -> bool:  # noqa: D102
        return bool(self.variances)

    def bin_variances(self, edges: Array) -> Array | None:  # noqa: D102
        if not self.variances:
            return None
        first = int(np.argmin(np.abs(np.array(self.edges) - edges[0])))
        mine = np.array(self.edges[first : first + len(edges)])
        if len(mine) != len(edges) or not np.allclose(
            mine, edges, rtol=0, atol=1e-6 * np.ptp(edges)
        ):
            raise FitError(
                f"the template {self.name!r} has other bins than the data, so their errors cannot "
                "be used: book both alike, or take it with errors=False"
            )
        inside = slice(first, first + len(edges) - 1)
        total = np.sum(self.contents[inside])
        found: Array = np.array(self.variances[inside]) / total**2
        return found

    def require_covers(self, range: tuple[float, float]) -> None:  # noqa: D102
        low, high = self.edges[0], self.edges[-1]
        rounding = 1e-6 * (high - low)
        if range[0] < low - rounding or range[1] > high + rounding:
            raise FitError(
                f"the template {self.name!r} goes from {low:g} to {high:g}, the model from "
                f"{range[0]:g} to {range[1]:g}: make the template of the whole range"
            )


def _smeared(edges: Array, masses: Array, width: float) -> Array:
    """Return how many of the candidates, each a Gaussian, are below each edge."""
    from numba_stats import norm

    # Candidates nearer to each other than a tenth of the width are one: the estimate is the same.
    places, counts = np.unique(np.round(masses / (0.1 * width)), return_counts=True)
    below = np.zeros_like(edges)
    for place, count in zip(places * (0.1 * width), counts, strict=True):
        below += count * norm.cdf(edges, place, width)
    return below
