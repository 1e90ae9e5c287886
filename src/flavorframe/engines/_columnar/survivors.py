"""What is left of a partition, cut by cut."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array, Values
from flavorframe.engines._columnar.candidates import Candidates
from flavorframe.engines._columnar.columns import Columns
from flavorframe.engines._columnar.recall import recall
from flavorframe.engines._columnar.scheme import Scheme
from flavorframe.engines._columnar.segments import best, mask_at, places
from flavorframe.engines._columnar.view import Links, View
from flavorframe.errors import AnalysisError


class Survivors:
    """The living events and candidates, with their weights.

    A cut makes this object smaller; `fork` makes an independent copy to try other cuts on.
    """

    def __init__(self, columns: Columns, scheme: Scheme, links: Links | None = None) -> None:
        """``links`` counts how links by value fare, where that is wanted."""
        self.scheme = scheme
        self.links = links
        self._columns = columns
        self._full: View | None = None
        self._alive: View | None = None  # the candidates are counted only once they are asked for
        self._candidates: Candidates | None = None  # all, while no cut was on candidates
        self._event_weight: Array | None = None  # where nobody weighs, nothing is multiplied
        self._candidate_weight: Array | None = None
        self.has_best = False
        self._later = scheme.shared  # what is asked for again

    @property
    def view(self) -> View:
        """The view in which expressions are evaluated."""
        full = self._whole()
        if self.scheme.candidates == n.EVENT:
            return full
        if self._alive is None:
            self._alive = self._surviving(full, self._candidates)
        return self._alive

    @property
    def candidates(self) -> Candidates:
        """The living candidates, which are no events."""
        return self.view.candidates if self._candidates is None else self._candidates

    def _whole(self) -> View:
        """Return the full view of the living events; survivors that were known had none yet."""
        if self._full is None:
            living = self._candidates
            events = self._columns.all_events if living is None else living.events
            self._full = View(self._columns, self.scheme, events, links=self.links)
        return self._full

    def fork(self) -> Survivors:
        """Return a copy on which cuts leave this one as it is; it keeps no count of links."""
        copy = object.__new__(Survivors)
        copy.__dict__.update(self.__dict__)
        copy.links = None
        if self._full is not None:
            copy._full = _copied(self._full, None)
        if self._alive is not None:
            copy._alive = _copied(self._alive, copy._full)
        return copy

    def values(self, node: n.Node, axis: n.Axis) -> Values:
        """Return the node's values on an axis, recalled where they are known."""
        known = self._columns.known
        if known is None or axis != node.axis:
            return self.view.spread(node, axis)
        if isinstance(node, n.Column) and axis == self.scheme.candidates != n.EVENT:
            found = known.column_values(node, self.candidates.numbers)
            return self.view.spread(node, axis) if found is None else found
        if node not in self.scheme.recallable:
            return self.view.spread(node, axis)
        return recall(self, node, known)

    def only(self, candidates: Candidates) -> Survivors:
        """Return survivors of these candidates alone, without weights or a count of links."""
        survivors = Survivors(self._columns, self.scheme)
        survivors.restore({"numbers": candidates.numbers})
        return survivors

    def state(self) -> dict[str, Array]:
        """Return what is alive and what it weighs, from which `restore` makes these survivors."""
        candidates = self._candidates
        parts = {
            "events": self._whole().events.astype(np.int32) if candidates is None else None,
            "numbers": None if candidates is None else candidates.numbers,
            "event_weight": self._event_weight,
            "candidate_weight": self._candidate_weight,
            "has_best": np.array(self.has_best),
        }
        return {name: part for name, part in parts.items() if part is not None}

    def restore(self, state: Mapping[str, Array], key: str | None = None) -> None:
        """Become the survivors whose state it is, known by a key; nothing was cut before."""
        if "numbers" in state:
            self._full, self._candidates = None, Candidates(state["numbers"], key)
        else:
            events = state["events"].astype(np.int64)
            self._full = View(self._columns, self.scheme, events, links=self.links)
        self._event_weight = state.get("event_weight")
        self._candidate_weight = state.get("candidate_weight")
        self.has_best = bool(state.get("has_best"))

    def cut(self, condition: n.Node) -> None:
        """Keep what fulfils the condition."""
        kept = np.flatnonzero(self.values(condition, condition.axis).truth())  # faster than a mask
        self._later = self.scheme.later[condition]
        if condition.axis == n.EVENT:
            self._keep_events(kept)
        else:
            self.keep_candidates(kept)

    def best(self, value: n.Node, *, highest: bool) -> None:
        """Keep one candidate an event: the one with the extreme value, or the first of equal ones.

        A candidate whose value is NaN or missing is kept only where there is no other.
        """
        self.has_best = True
        values = self.values(value, self.scheme.candidates)
        self._later = self.scheme.later[value]
        self.keep_candidates(best(values, self.candidates.first, largest=highest))

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
            self._keep_events(kept)
            return
        candidates = self.candidates.take(kept)
        if self._alive is None and self._event_weight is None:
            self._full = None  # none has asked for it since it was last made
        else:
            events = self._event_of_candidates().take(kept.take(candidates.first))
            self._event_weight = _at(self._event_weight, events)
            self._narrow_views(candidates, kept, events)
        self._candidates = candidates
        self._candidate_weight = _at(self._candidate_weight, kept)

    def leave(self, at: Array) -> None:
        """Leave the candidates at some positions of the root of the living ones, which rise."""
        now = self.candidates
        if self._alive is None and self._event_weight is None and self._candidate_weight is None:
            self._full, self._candidates = None, now.root.chosen(at)
        else:
            self.keep_candidates(at if now.at is None else places(now.at, at))

    @property
    def n_events(self) -> int:
        """How many events are alive."""
        if self._full is None and self._candidates is not None:
            return len(self._candidates.first)
        return len(self._whole().events)

    @property
    def n_candidates(self) -> int:
        """How many candidates are alive."""
        if self._candidates is not None:
            return len(self._candidates)
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

    def _event_of_candidates(self) -> Array:
        """Return the position of each candidate's event among the living events."""
        if self._candidates is not None:
            return self._candidates.event
        return self.view.event_of(self.scheme.candidates)

    def _surviving(self, full: View, candidates: Candidates | None) -> View:
        return View(
            full.columns, self.scheme, full.events,
            links=self.links, full=full, alive=candidates,
        )  # fmt: skip

    def _narrow_views(self, candidates: Candidates, kept: Array, events: Array) -> None:
        """Leave these candidates, and the events that they are in, of which positions are given."""
        full, alive = self._whole(), self.view
        positions = {self.scheme.candidates: kept, n.EVENT: events}
        remembered = {
            node: values[positions[node.axis]]
            for node, values in alive.remembered.items()
            if node in self._later and node in self.scheme.settled and node.axis in positions
        }
        if len(events) < len(full.events):
            self._full = self._narrowed(full, events)
        self._alive = self._surviving(self._whole(), candidates)
        self._alive.remembered = remembered

    def _keep_events(self, kept: Array) -> None:
        """Keep the events at some positions, and all candidates in them."""
        full, alive = self._whole(), self._alive
        if self._candidates is not None or self._candidate_weight is not None:
            mask = mask_at(kept, len(full.events))
            living = np.flatnonzero(mask.take(self._event_of_candidates()))
            self._candidate_weight = _at(self._candidate_weight, living)
            if self._candidates is not None:
                self._candidates = self._candidates.take(living)
        self._full = self._narrowed(full, kept)
        self._event_weight = _at(self._event_weight, kept)
        if alive is not None:
            self._alive = self._surviving(self._full, self._candidates)
            self._alive.remembered = self._remembered(alive, kept)

    def _narrowed(self, full: View, kept: Array) -> View:
        """Return the full view of some of the events."""
        narrowed = View(full.columns, self.scheme, full.events.take(kept), links=self.links)
        narrowed.remembered = self._remembered(full, kept)
        return narrowed

    def _remembered(self, view: View, events: Array) -> dict[n.Node, Values]:
        """Return what a view remembers of what is asked for again, at some of its events."""
        kept: dict[n.Axis, Array] = {n.EVENT: events}
        nodes = [node for node in view.remembered if node in self._later]
        mask = mask_at(events, len(view.events))
        for axis in {node.axis for node in nodes} - {n.EVENT}:
            kept[axis] = np.flatnonzero(mask.take(view.event_of(axis)))
        return {node: view.remembered[node][kept[node.axis]] for node in nodes}


def _copied(view: View, full: View | None) -> View:
    copy = View(view.columns, view.scheme, view.events, full=full, alive=view.alive)
    copy.remembered = dict(view.remembered)
    return copy


def _times(weights: Array | None, factor: Array) -> Array:
    return factor if weights is None else weights * factor


def _at(weights: Array | None, kept: Array) -> Array | None:
    return None if weights is None else weights.take(kept)
