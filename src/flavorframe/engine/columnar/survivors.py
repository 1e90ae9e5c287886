"""What is left of a partition, cut by cut."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from flavorframe.engine.columnar.arrays import Array, Values
from flavorframe.engine.columnar.columns import Columns
from flavorframe.engine.columnar.recall import recall
from flavorframe.engine.columnar.segments import extreme
from flavorframe.engine.columnar.view import Links, Scheme, View
from flavorframe.errors import AnalysisError
from flavorframe.expr import nodes as n


class Survivors:
    """The living events and candidates, with their weights.

    A cut makes this object smaller; `fork` makes an independent copy to try other cuts on.
    """

    def __init__(self, columns: Columns, scheme: Scheme, links: Links | None = None) -> None:
        """``links`` counts how links by value fare, where that is wanted."""
        self.scheme = scheme
        self.links = links
        self._full = View(columns, scheme, columns.all_events, links=self.links)
        self._event_weight: Array | None = None  # where nobody weighs, nothing is multiplied
        self._candidate_weight: Array | None = None
        self.has_best = False
        self._alive: View | None = None

    @property
    def view(self) -> View:
        """The view in which expressions are evaluated."""
        if self.scheme.candidates == n.EVENT:
            return self._full
        if self._alive is None:  # the candidates are counted only once they are asked for
            self._alive = self._surviving(self._full, None)
        return self._alive

    def fork(self) -> Survivors:
        """Return a copy on which cuts leave this one as it is; it keeps no count of links."""
        copy = object.__new__(Survivors)
        copy.__dict__.update(self.__dict__)
        copy.links = None
        copy._full = self._copied(self._full, None)
        copy._alive = None if self._alive is None else self._copied(self._alive, copy._full)
        return copy

    def values(self, node: n.Node, axis: n.Axis) -> Values:
        """Return the node's values on an axis, recalled where they are known."""
        known = self._full.columns.known
        if known is None or axis != node.axis or node not in self.scheme.recallable:
            return self.view.spread(node, axis)
        return recall(self, node, known)

    def among(self, candidates: Array) -> Survivors:
        """Return a copy in which, of the living candidates, only some are alive."""
        copy = self.fork()
        copy.keep_candidates(candidates)
        return copy

    def state(self) -> dict[str, Array]:
        """Return what is alive and what it weighs, from which `restore` makes these survivors."""
        chosen = None if self._alive is None else self._alive.chosen
        parts = {
            "events": _small(self._full.events),
            "chosen": None if chosen is None else _small(chosen),
            "event_weight": self._event_weight,
            "candidate_weight": self._candidate_weight,
            "has_best": np.array(self.has_best),
        }
        return {name: part for name, part in parts.items() if part is not None}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Become the survivors whose state it is; nothing was cut before."""
        whole = self._full
        events = state["events"].astype(np.int64)
        if len(events) < len(whole.events):
            self._full = View(whole.columns, self.scheme, events, links=self.links)
        if "chosen" in state:
            self._alive = self._surviving(self._full, state["chosen"].astype(np.int64))
        self._event_weight = state.get("event_weight")
        self._candidate_weight = state.get("candidate_weight")
        self.has_best = bool(state["has_best"])

    def cut(self, condition: n.Node) -> None:
        """Keep what fulfils the condition."""
        mask = self.values(condition, condition.axis).truth()
        if condition.axis == n.EVENT:
            self._keep_events(mask)
        else:
            self.keep_candidates(np.flatnonzero(mask))

    def best(self, value: n.Node, *, highest: bool) -> None:
        """Keep one candidate an event: the one with the extreme value, or the first of equal ones.

        A candidate whose value is NaN or missing is kept only where there is no other.
        """
        self.has_best = True
        view, axis = self.view, self.scheme.candidates
        elements = view.elements(axis)
        chosen = extreme(
            self.values(value, axis), elements.event, len(view.events), largest=highest
        )
        rest = np.ones(len(view.events), bool)
        rest[elements.event[chosen]] = False
        first = np.flatnonzero(np.diff(elements.event, prepend=-1) > 0)
        spare = first[rest[elements.event[first]]]
        self.keep_candidates(np.sort(np.concatenate([chosen, spare])))

    def weigh(self, weight: n.Node) -> None:
        """Multiply the weights of events or candidates."""
        values = self.values(weight, weight.axis).numbers().astype(np.float64)
        if weight.axis == n.EVENT:
            self._event_weight = _times(self._event_weight, values)
        else:
            self._candidate_weight = _times(self._candidate_weight, values)

    def keep_candidates(self, kept: Array) -> None:
        """Keep the candidates at the given positions among the living, which rise."""
        if self.scheme.candidates == n.EVENT:
            mask = np.zeros(len(self._full.events), bool)
            mask[kept] = True
            self._keep_events(mask)
            return
        view = self.view
        mask = np.zeros(len(view.events), bool)
        mask[view.elements(self.scheme.candidates).event.take(kept)] = True
        chosen = kept if view.chosen is None else view.chosen.take(kept)
        narrowed = self._surviving(self._full, chosen)
        for node, values in view.remembered.items():
            if node in self.scheme.settled and node.axis == self.scheme.candidates:
                narrowed.remembered[node] = values[kept]
            elif node in self.scheme.settled and node.axis == n.EVENT:
                narrowed.remembered[node] = values
        self._alive, self._candidate_weight = narrowed, _at(self._candidate_weight, kept)
        if not mask.all():
            self._keep_events(mask, barren=True)

    @property
    def n_candidates(self) -> int:
        """How many candidates are alive."""
        return self.view.size(self.scheme.candidates)

    def weights_on(self, axis: n.Axis) -> Array:
        """Return the weight of each value on the axis.

        A candidate weighs its event's weight times its own. An event, or an element of another
        collection, has the weight of the event's one candidate; raises AnalysisError where
        candidates have weights and an event may have several.
        """
        if axis == self.scheme.candidates and axis != n.EVENT:
            weights = np.ones(self.view.size(axis))
            if self._event_weight is not None:
                weights = self._event_weight[self.view.event_of(axis)]
            return _times(self._candidate_weight, weights)
        by_event = self.event_weights()
        if by_event is None:
            raise AnalysisError(
                f"Candidates have weights, and a quantity per {axis.name} has none where an event "
                "has several candidates: choose one with .best(), or weigh events."
            )
        return by_event[self.view.event_of(axis)]

    def event_weights(self) -> Array | None:
        """Return the weight of each event; None where several weighted candidates may be in one."""
        view, candidates = self.view, self.scheme.candidates
        weights = _times(self._event_weight, np.ones(len(view.events)))
        if self._candidate_weight is None:
            return weights
        if not self.has_best:
            return None
        weights[view.event_of(candidates)] *= self._candidate_weight
        return weights

    # narrowing

    def _surviving(self, full: View, chosen: Array | None) -> View:
        return View(
            full.columns, self.scheme, full.events, links=self.links, full=full, chosen=chosen
        )

    def _keep_events(self, mask: Array, *, barren: bool = False) -> None:
        """Keep events; those that go are ``barren`` where no candidate in them is alive."""
        full, alive = self._full, self._alive
        kept = np.flatnonzero(mask)  # many times faster as an index than the mask is
        self._full = View(full.columns, self.scheme, full.events.take(kept), links=self.links)
        self._full.remembered = _narrowed(full, mask)
        self._event_weight = _at(self._event_weight, kept)
        if alive is None:
            return
        candidates = self.scheme.candidates
        living = None if barren else np.flatnonzero(mask.take(alive.elements(candidates).event))
        chosen = None
        if alive.chosen is not None:
            renumbered = np.cumsum(mask.take(full.elements(candidates).event)) - 1
            chosen = renumbered.take(_among(alive.chosen, living))
        self._alive = self._surviving(self._full, chosen)
        self._alive.remembered = _narrowed(alive, mask, candidates if barren else None)
        if self._candidate_weight is not None:
            self._candidate_weight = _among(self._candidate_weight, living)

    def _copied(self, view: View, full: View | None) -> View:
        copy = View(view.columns, view.scheme, view.events, full=full, chosen=view.chosen)
        copy.remembered = dict(view.remembered)
        return copy


def _times(weights: Array | None, factor: Array) -> Array:
    return factor if weights is None else weights * factor


def _small(positions: Array) -> Array:
    return positions.astype(np.int32)


def _at(weights: Array | None, kept: Array) -> Array | None:
    return None if weights is None else weights.take(kept)


def _among(values: Array, kept: Array | None) -> Array:
    """Return the values at some positions, or all of them where that is None."""
    return values if kept is None else values.take(kept)


def _narrowed(view: View, mask: Array, whole: n.Axis | None = None) -> dict[n.Node, Values]:
    """Return what a view remembers, without the events that died; they have none of ``whole``."""
    kept: dict[n.Axis, Array] = {}
    narrowed = {}
    for node, values in view.remembered.items():
        if node.axis != whole and node.axis not in kept:
            kept[node.axis] = np.flatnonzero(mask.take(view.event_of(node.axis)))
        narrowed[node] = values if node.axis == whole else values[kept[node.axis]]
    return narrowed
