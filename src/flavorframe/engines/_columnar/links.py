"""Counts of unmatched and ambiguous links by value, for the result."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flavorframe._rootio.arrays import Array


@dataclass
class LinkCounts:
    """By link: how many candidates follow it, find no element, and find more than one."""

    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def count(self, name: str, matches: Array) -> None:
        """Count candidates by their number of matches. Only the first call for a link counts."""
        none, several = np.count_nonzero(matches == 0), np.count_nonzero(matches > 1)
        self.counts.setdefault(name, (len(matches), int(none), int(several)))
