"""How links by value fare: what the result tells of matches that failed or were ambiguous."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flavorframe._rootio.arrays import Array


@dataclass
class LinkCounts:
    """How many candidates asked for each link, and found no element, or more than one."""

    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def count(self, name: str, matches: Array) -> None:
        """Count candidates by their number of matches, where the link is first asked for."""
        none, several = np.count_nonzero(matches == 0), np.count_nonzero(matches > 1)
        self.counts.setdefault(name, (len(matches), int(none), int(several)))
