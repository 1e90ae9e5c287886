"""Where the totals of a function are: numbers that add up over the events, in one array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe.outputs import Histogram

Array = np.ndarray[Any, np.dtype[Any]]

ROW = 5
"""Totals of a row of the cutflow: events, candidates, both weighted, and squared weights."""
LINK = 3
"""Totals of a link: how often it was followed, found no element, and found several."""


@dataclass(frozen=True)
class Bins:
    """Where the bins of a histogram are, flow included; weighted ones have sums of squares too."""

    name: str
    offset: int
    shape: tuple[int, ...]
    weighted: bool

    @property
    def cells(self) -> int:
        """How many bins there are."""
        return int(np.prod(self.shape))

    @property
    def end(self) -> int:
        """The place after the last of them."""
        return self.offset + self.cells * (2 if self.weighted else 1)

    def fill(self, histogram: Any, totals: Array) -> None:
        """Fill a histogram that is empty."""
        sums = totals[self.offset : self.offset + self.cells].reshape(self.shape)
        if self.weighted:
            histogram.add_sums(sums, totals[self.offset + self.cells : self.end])
        else:
            histogram.view(flow=True)[...] = np.rint(sums).astype(np.int64)


@dataclass(frozen=True)
class Totals:
    """The places of a row of the cutflow or of the bins of histograms, and then of links.

    Histograms ``is_of_categories`` have what belongs to the row before.

    ``weighs_events`` is false in a row where an event may have several candidates with weights.
    """

    counts: int = 0
    weighs_events: bool = True
    bins: tuple[Bins, ...] = ()
    links: tuple[str, ...] = ()
    is_of_categories: bool = False

    @property
    def links_at(self) -> int:
        """The first place of the links."""
        return self.bins[-1].end if self.bins else self.counts

    @property
    def size(self) -> int:
        """How many totals there are."""
        return self.links_at + LINK * len(self.links)

    def link_counts(self, totals: Array) -> dict[str, tuple[int, int, int]]:
        """Return the counts of the links by their formulas."""
        found = np.rint(totals[self.links_at : self.size]).astype(int).reshape(-1, LINK).tolist()
        return {name: (a, b, c) for name, (a, b, c) in zip(self.links, found, strict=True)}


def bins_of(name: str, histogram: Histogram, offset: int, *, weighted: bool) -> Bins:
    """Return where the bins of a histogram are."""
    shape = tuple(len(axis.edges) + 1 for axis in histogram.axes)
    return Bins(name, offset, shape, weighted)
