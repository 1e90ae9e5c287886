"""Results of partitions, as engines return them: everything in them adds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from flavorframe.result import Cutflow, Replica, Timing, added_replicas

Chunk = Mapping[str, Any]
"""Rows: for each column an array, or the lists of a skim (`flavorframe._snapshots.columns`)."""

Counts = tuple[int, int, int]
"""Of a link by value: how many asked for it, found no element, and found more than one."""


@dataclass(frozen=True)
class Partial:
    """The result of some partitions; partials add up in any grouping.

    Attributes:
        cutflow: How many events and candidates are left after each step; of several regions the
            events that were read.
        histograms: By the name of the output, and by `varied_name` for each variation: a
            boost-histogram or, where it is weighted, one whose sums are exact.
        tables: By the name of the output, the rows of a snapshot in chunks. A chunk has an array
            of shape (rows,) for each column, or lists.
        links: By the formula of a link by value: how many candidates asked for it, found no
            element, and found more than one.
        timing: What the time was spent on.
        replicas: The files that another place than the first has given.
        regions: The cutflows of several regions, by name.
        tallies: By the name of the output, what was noted of all events.
    """

    cutflow: Cutflow
    histograms: Mapping[str, Any]
    tables: Mapping[str, tuple[Chunk, ...]] = field(default_factory=dict)
    links: Mapping[str, Counts] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)
    replicas: tuple[Replica, ...] = ()
    regions: Mapping[str, Cutflow] = field(default_factory=dict)
    tallies: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cutflows(self) -> dict[str, Cutflow]:
        """The cutflow of each region by its name; of one selection, its own and no name."""
        return dict(self.regions) or {"": self.cutflow}

    def __add__(self, other: Partial) -> Partial:
        return Partial(
            self.cutflow + other.cutflow,
            {name: h + other.histograms[name] for name, h in self.histograms.items()},
            {name: chunks + other.tables[name] for name, chunks in self.tables.items()},
            added_counts(self.links, other.links),
            self.timing + other.timing,
            added_replicas(self.replicas, other.replicas),
            {name: flow + other.regions[name] for name, flow in self.regions.items()},
            {name: tally + other.tallies[name] for name, tally in self.tallies.items()},
        )


def count_of(matches: npt.NDArray[Any]) -> Counts:
    """Return the counts of a link from how many elements each that asked has found.

    >>> count_of(np.array([1, 0, 2, 1]))
    (4, 1, 1)
    """
    none, several = np.count_nonzero(matches == 0), np.count_nonzero(matches > 1)
    return len(matches), int(none), int(several)


def added_counts(a: Mapping[str, Counts], b: Mapping[str, Counts]) -> dict[str, Counts]:
    """Return the counts of links of two samples together."""
    added = dict(a)
    for name, (asked, unmatched, ambiguous) in b.items():
        x, y, z = added.get(name, (0, 0, 0))
        added[name] = (x + asked, y + unmatched, z + ambiguous)
    return added
