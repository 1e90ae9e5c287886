"""What the evaluation of a partition gives: everything that adds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flavorframe.result import Cutflow, Timing

Chunk = Mapping[str, np.ndarray[Any, np.dtype[Any]]]


@dataclass(frozen=True)
class Partial:
    """The result of some partitions; partials add up in any grouping.

    ``histograms`` are boost-histograms, ``tables`` the snapshots' rows in chunks, and ``links``
    how many candidates asked for each link, found nothing, and found more than one element.
    """

    cutflow: Cutflow
    histograms: Mapping[str, Any]
    tables: Mapping[str, tuple[Chunk, ...]] = field(default_factory=dict)
    links: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)

    def __add__(self, other: Partial) -> Partial:
        return Partial(
            self.cutflow + other.cutflow,
            {name: h + other.histograms[name] for name, h in self.histograms.items()},
            {name: chunks + other.tables[name] for name, chunks in self.tables.items()},
            _add_links(self.links, other.links),
            self.timing + other.timing,
        )


def _add_links(
    a: Mapping[str, tuple[int, int, int]], b: Mapping[str, tuple[int, int, int]]
) -> dict[str, tuple[int, int, int]]:
    added = dict(a)
    for name, (asked, unmatched, ambiguous) in b.items():
        x, y, z = added.get(name, (0, 0, 0))
        added[name] = (x + asked, y + unmatched, z + ambiguous)
    return added
