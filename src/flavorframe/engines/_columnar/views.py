"""Make the views of living events and candidates, and hand values on from one cut to the next.

A view remembers values that later expressions need too. A cut makes a smaller view, which takes
over these values for what is left. ``needed_later`` are the nodes that are worth it.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array
from flavorframe.engines._columnar.candidates import Candidates
from flavorframe.engines._columnar.columns import Columns
from flavorframe.engines._columnar.facts import PlanFacts
from flavorframe.engines._columnar.links import LinkCounts
from flavorframe.engines._columnar.segments import mask_at
from flavorframe.engines._columnar.surviving import SurvivingView
from flavorframe.engines._columnar.values import Values
from flavorframe.engines._columnar.view import FullView, View


@dataclass(frozen=True)
class ViewMaker:
    """Makes the views of a partition; ``links`` is None where links are not to be counted."""

    columns: Columns
    facts: PlanFacts
    links: LinkCounts | None = None

    def full(self, events: Array) -> FullView:
        """Return the full view of some events."""
        return FullView(self.columns, self.facts, events, self.links)

    def surviving(self, full: FullView, alive: Candidates | None) -> SurvivingView:
        """Return the view of the living candidates in the events of a full view."""
        return SurvivingView(full, alive, self.links)

    def counting(self, links: LinkCounts | None) -> ViewMaker:
        """Return a maker of views that count links there, or nowhere for None."""
        return replace(self, links=links)

    def copied(self, full: FullView) -> FullView:
        """Return a copy of a full view; what one remembers from now on, the other does not."""
        copy = self.full(full.events)
        copy.remembered = dict(full.remembered)
        return copy

    def copied_surviving(self, view: SurvivingView, full: FullView) -> SurvivingView:
        """Return a copy of a surviving view, over a copy of its full view."""
        copy = self.surviving(full, view.alive)
        copy.remembered = dict(view.remembered)
        return copy

    def narrowed(self, full: FullView, kept: Array, needed_later: Set[n.Node]) -> FullView:
        """Return the full view of the events at some positions."""
        narrowed = self.full(full.events.take(kept))
        narrowed.remembered = remembered_at(full, kept, needed_later)
        return narrowed


class ViewPair(NamedTuple):
    """The two views of the same events."""

    full: FullView
    surviving: SurvivingView

    def narrowed(
        self,
        views: ViewMaker,
        candidates: Candidates,
        kept: Array,
        events: Array,
        needed_later: Set[n.Node],
    ) -> ViewPair:
        """Return views of these candidates, which are at positions ``kept``, and their events."""
        facts = views.facts
        positions = {facts.candidates: kept, n.EVENT: events}
        remembered = {
            node: values[positions[node.axis]]
            for node, values in self.surviving.remembered.items()
            if node in needed_later and node in facts.unchanged and node.axis in positions
        }
        full = self.full
        if len(events) < len(full.events):
            full = views.narrowed(full, events, needed_later)
        surviving = views.surviving(full, candidates)
        surviving.remembered = remembered
        return ViewPair(full, surviving)


def remembered_at(view: View, events: Array, needed_later: Set[n.Node]) -> dict[n.Node, Values]:
    """Return the values that a view remembers and that are needed later, at some of its events."""
    kept: dict[n.Axis, Array] = {n.EVENT: events}
    nodes = [node for node in view.remembered if node in needed_later]
    mask = mask_at(events, len(view.events))
    for axis in {node.axis for node in nodes} - {n.EVENT}:
        kept[axis] = np.flatnonzero(mask.take(view.event_of(axis)))
    return {node: view.remembered[node][kept[node.axis]] for node in nodes}
