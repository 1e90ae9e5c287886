"""The survivors of a partition: the living events and candidates, with their weights."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.variations import Variation
from flavorframe._rootio.arrays import Array
from flavorframe.engines._columnar.facts import PlanFacts
from flavorframe.engines._columnar.links import LinkCounts
from flavorframe.engines._columnar.segments import best
from flavorframe.engines._columnar.state import State
from flavorframe.engines._columnar.values import Values
from flavorframe.engines._columnar.view import View
from flavorframe.engines._columnar.views import ViewMaker
from flavorframe.errors import AnalysisError


@dataclass(frozen=True)
class Weights:
    """The weights of living events and candidates.

    Attributes:
        of_events: One for each living event, or None where events are not weighed.
        of_candidates: One for each living candidate, or None where candidates are not weighed.
        has_best: Whether a best candidate was chosen, so that an event has one at most.
    """

    of_events: Array | None = None
    of_candidates: Array | None = None
    has_best: bool = False

    def times(self, axis: n.Axis, factors: Array) -> Weights:
        """Return the weights multiplied by factors, of events or of candidates."""
        if axis == n.EVENT:
            return replace(self, of_events=_times(self.of_events, factors))
        return replace(self, of_candidates=_times(self.of_candidates, factors))

    def at(self, events: Array | None, candidates: Array | None) -> Weights:
        """Return the weights at positions of events and candidates; None for what has none."""
        return replace(
            self,
            of_events=_at(self.of_events, events),
            of_candidates=_at(self.of_candidates, candidates),
        )


class Survivors:
    """The living events and candidates, with their weights.

    A cut makes this object smaller. `copied` makes one on which other cuts can be tried.
    ``varied`` has the weights in the variations in which they are others.
    """

    def __init__(self, state: State, weights: Weights | None = None) -> None:
        """The views of the ``state`` must be new; without ``weights`` all weights are one."""
        self.state = state
        self.weights = weights or Weights()
        self.varied: dict[Variation, Weights] = {}
        self.needed_later = state.views.facts.shared  # nodes whose values are worth remembering

    @property
    def views(self) -> ViewMaker:
        """What makes the views of the partition."""
        return self.state.views

    @property
    def facts(self) -> PlanFacts:
        """The facts of the plan."""
        return self.state.views.facts

    @property
    def links(self) -> LinkCounts | None:
        """The counts of links by value; None where links are not to be counted."""
        return self.state.views.links

    @property
    def view(self) -> View:
        """The view in which expressions are evaluated."""
        return self.state.view

    @property
    def n_events(self) -> int:
        """How many events are alive."""
        return self.state.n_events

    @property
    def n_candidates(self) -> int:
        """How many candidates are alive."""
        return self.state.n_candidates

    def copied(self, links: LinkCounts | None = None) -> Survivors:
        """Return a copy, whose cuts do not change this one, and which counts its own links."""
        copied = copy(self)
        copied.varied = dict(self.varied)
        copied.state = self.state.copied(self.views.counting(links))
        return copied

    def values(self, node: n.Node, axis: n.Axis) -> Values:
        """Return the node's values on an axis."""
        return self.view.spread(node, axis)

    # steps of the selection

    def cut(self, condition: n.Node) -> None:
        """Keep what fulfils the condition."""
        kept = np.flatnonzero(self.values(condition, condition.axis).truth())  # faster than a mask
        self.needed_later = self.facts.needed_later[condition]
        if condition.axis == n.EVENT:
            self.keep_events(kept)
        else:
            self.keep_candidates(kept)

    def best(self, value: n.Node, *, highest: bool) -> None:
        """Keep one candidate an event: the one with the extreme value, or the first of equal ones.

        A candidate whose value is NaN or missing is kept only where there is no other.
        """
        self.weights = replace(self.weights, has_best=True)
        self.varied = {v: replace(weights, has_best=True) for v, weights in self.varied.items()}
        values = self.values(value, self.facts.candidates)
        self.needed_later = self.facts.needed_later[value]
        self.keep_candidates(best(values, self.state.candidates.first, largest=highest))

    def weigh(self, weight: n.Node, varied: Sequence[tuple[Variation, n.Node]] = ()) -> None:
        """Multiply the weights of events or candidates, in some variations by something else."""
        factors = self._factors(weight)
        old, others = self.weights, dict(self.varied)
        for variation, node in varied:
            others[variation] = others.get(variation, old).times(weight.axis, self._factors(node))
        shifted = {variation for variation, _ in varied}
        self.varied = {
            v: w if v in shifted else w.times(weight.axis, factors) for v, w in others.items()
        }
        self.weights = old.times(weight.axis, factors)

    def _factors(self, weight: n.Node) -> Array:
        return self.values(weight, weight.axis).numbers().astype(np.float64)

    def keep_events(self, kept: Array) -> None:
        """Keep the events at some positions, and all living candidates in them."""
        weighted = (self.weights.of_candidates, *(w.of_candidates for w in self.varied.values()))
        alone = all(weights is None for weights in weighted)
        self._narrow_weights(kept, None if alone else self.state.candidates_in(kept))
        self.state = self.state.keep_events(kept, self.needed_later)

    def keep_candidates(self, kept: Array) -> None:
        """Keep the candidates at some positions, which must be sorted."""
        if self.facts.candidates == n.EVENT:
            self.keep_events(kept)
            return
        before, self.state = self.state, self.state.keep_candidates(kept, self.needed_later)
        events = None
        weighted = (self.weights.of_events, *(w.of_events for w in self.varied.values()))
        if any(weights is not None for weights in weighted):
            first = self.state.candidates.first
            events = before.event_of_candidates().take(kept.take(first))
        self._narrow_weights(events, kept)

    def _narrow_weights(self, events: Array | None, candidates: Array | None) -> None:
        self.weights = self.weights.at(events, candidates)
        self.varied = {v: weights.at(events, candidates) for v, weights in self.varied.items()}

    def keep_of_origin(self, positions: Array) -> None:
        """Keep candidates at sorted positions of their `Candidates.origin`; none has a weight."""
        self.state = self.state.keep_of_origin(positions, self.needed_later)

    # weights

    def weights_on(self, axis: n.Axis, variation: Variation | None = None) -> Array:
        """Return the weight of each value on the axis, nominally or in a variation.

        A candidate weighs its event's weight times its own. An event, or an element of another
        collection, has the weight of the event's one candidate; raises AnalysisError where
        candidates have weights and an event may have several.
        """
        held = self.weights if variation is None else self.varied.get(variation, self.weights)
        if axis == self.facts.candidates and axis != n.EVENT:
            weights = np.ones(self.view.size(axis))
            if held.of_events is not None:
                weights = held.of_events[self.view.event_of(axis)]
            return _times(held.of_candidates, weights)
        by_event = self.event_weights(held)
        if by_event is None:
            raise AnalysisError(
                f"Candidates have weights, and a quantity per {axis.name} has none where an event "
                "has several candidates: choose one with .best(), or weigh events."
            )
        return by_event[self.view.event_of(axis)]

    def event_weights(self, held: Weights | None = None) -> Array | None:
        """Return the weight of each event; None where several weighted candidates may be in one."""
        view, held = self.view, held or self.weights
        weights = _times(held.of_events, np.ones(len(view.events)))
        if held.of_candidates is None:
            return weights
        if not held.has_best:
            return None
        weights[view.event_of(self.facts.candidates)] *= held.of_candidates
        return weights


def _times(weights: Array | None, factor: Array) -> Array:
    return factor if weights is None else weights * factor


def _at(weights: Array | None, kept: Array | None) -> Array | None:
    return weights if weights is None or kept is None else weights.take(kept)
