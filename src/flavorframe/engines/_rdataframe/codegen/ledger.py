"""Ledgers: amounts that add up over the events, each at an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe.outputs import Histogram

Array = np.ndarray[Any, np.dtype[Any]]

ROW = 5
"""Addresses of a row of the cutflow: events, candidates, their weights, and squared weights."""
NOTE = 3
"""Addresses of a link: how often it was asked, led nowhere, and was ambiguous."""


@dataclass(frozen=True)
class Bins:
    """The bins of a histogram, flow included: its first address, and whether they have squares."""

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
        """The first address after them."""
        return self.offset + self.cells * (2 if self.weighted else 1)

    def fill(self, histogram: Any, amounts: Array) -> None:
        """Fill a histogram that is empty."""
        sums = amounts[self.offset : self.offset + self.cells].reshape(self.shape)
        if self.weighted:
            histogram.add_sums(sums, amounts[self.offset + self.cells : self.end])
        else:
            histogram.view(flow=True)[...] = np.rint(sums).astype(np.int64)


@dataclass(frozen=True)
class Ledger:
    """What the addresses mean: a row of the cutflow or the bins of histograms, then links.

    ``weighs_events`` is false in a row where an event may have several candidates that weigh.
    """

    counts: int = 0
    weighs_events: bool = True
    bins: tuple[Bins, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def notes_at(self) -> int:
        """The first address of the links."""
        return self.bins[-1].end if self.bins else self.counts

    @property
    def size(self) -> int:
        """How many addresses there are."""
        return self.notes_at + NOTE * len(self.notes)

    def links(self, amounts: Array) -> dict[str, tuple[int, int, int]]:
        """Return the counts of the links."""
        found = np.rint(amounts[self.notes_at : self.size]).astype(int).reshape(-1, NOTE).tolist()
        return {name: (a, b, c) for name, (a, b, c) in zip(self.notes, found, strict=True)}


def bins_of(name: str, histogram: Histogram, offset: int, *, weighted: bool) -> Bins:
    """Return where the bins of a histogram are."""
    shape = tuple(len(axis.edges) + 1 for axis in histogram.axes)
    return Bins(name, offset, shape, weighted)
