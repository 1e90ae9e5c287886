"""Counts of unmatched and ambiguous links by value, for the result."""

from __future__ import annotations

from dataclasses import dataclass, field

from flavorframe._rootio.arrays import Array
from flavorframe.engines.partial import added_counts, count_of


@dataclass
class LinkCounts:
    """By link: how many candidates follow it, find no element, and find more than one."""

    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def count(self, name: str, matches: Array) -> None:
        """Count candidates by their number of matches. Only the first call for a link counts."""
        self.counts.setdefault(name, count_of(matches))

    def add(self, others: LinkCounts) -> None:
        """Add the counts of the same links in more events."""
        self.counts = added_counts(self.counts, others.counts)

    def adopt(self, others: LinkCounts) -> None:
        """Take over the counts of links that are not counted yet."""
        self.counts = others.counts | self.counts
