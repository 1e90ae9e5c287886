"""What pictures show of a histogram: a category each, nominally, and what variations make of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flavorframe._expr.variations import NOMINAL
from flavorframe.result._histograms import by_category, is_varied, varied
from flavorframe.result.variations import Variations

Band = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""By how much variations move each bin down and up, each of shape (bins,)."""


@dataclass(frozen=True)
class View:
    """One category of a histogram, or all of one without categories.

    ``histogram`` is nominal; ``varied`` has its variations as well, where there are any.
    """

    category: str
    histogram: Any
    varied: Any = None

    @property
    def band(self) -> Band | None:
        """The uncertainty of all sources, of a histogram with one axis; None without variations."""
        if self.varied is None or len(self.histogram.axes) > 1:
            return None
        return Variations(self.varied).quadrature()

    def effects(self) -> Iterator[str]:
        """Yield by how many percent each source moves the content in range."""
        if self.varied is None:
            return
        in_range = {i: slice(0, len(axis), sum) for i, axis in enumerate(self.varied.axes) if i}
        totals = Variations(self.varied[in_range])
        for source in totals.sources:
            below, above = totals.quadrature(source)
            if totals.nominal:
                down, up = (100 * float(side / abs(totals.nominal)) for side in (below, above))
                yield f"{source} −{down:.2f} +{up:.2f} %"


def views(name: str, value: Any) -> dict[str, View]:
    """Return what pictures show of a histogram, by ``mass``, or by ``mass.barrel`` and others."""
    return {
        ".".join(filter(None, (name, category))): View(
            category, varied(each, NOMINAL), each if is_varied(each) else None
        )
        for category, each in by_category(value)
    }
