"""The living events and candidates of a partition after some steps.

A state is never changed: a cut makes another one. There are three kinds, and which one it is says
what is known without looking at the data:

* `LivingEvents`: the events are the candidates,
* `AllCandidates`: no cut on candidates was made yet, so all in the living events are alive,
* `CutCandidates`: candidates were cut. They are known by number, and the living events are those
  that have one. Views of them are made once an expression must be computed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Set

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array
from flavorframe.engines._columnar.candidates import Candidates
from flavorframe.engines._columnar.segments import find_sorted, mask_at
from flavorframe.engines._columnar.surviving import SurvivingView
from flavorframe.engines._columnar.view import FullView, View
from flavorframe.engines._columnar.views import ViewMaker, ViewPair, remembered_at


class State(ABC):
    """What is alive; see the module's text for the kinds."""

    views: ViewMaker

    @property
    @abstractmethod
    def view(self) -> View:
        """The view in which expressions are evaluated."""

    @property
    @abstractmethod
    def candidates(self) -> Candidates:
        """The living candidates, where these are not the events."""

    @property
    @abstractmethod
    def events(self) -> Array:
        """The positions of the living events in the partition."""

    @property
    @abstractmethod
    def n_events(self) -> int:
        """How many events are alive."""

    @property
    @abstractmethod
    def n_candidates(self) -> int:
        """How many candidates are alive."""

    @abstractmethod
    def event_of_candidates(self) -> Array:
        """Return the position of each candidate's event among the living events."""

    @abstractmethod
    def keep_events(self, kept: Array, needed_later: Set[n.Node]) -> State:
        """Return the state with the events at some positions, and all living candidates in them."""

    @abstractmethod
    def keep_candidates(self, kept: Array, needed_later: Set[n.Node]) -> State:
        """Return the state with the candidates at some positions, which must be sorted."""

    @abstractmethod
    def copied(self, views: ViewMaker) -> State:
        """Return a copy that remembers values by itself, with another maker of views."""

    def keep_of_origin(self, positions: Array, needed_later: Set[n.Node]) -> State:
        """Return the state with the candidates at sorted positions of their `Candidates.origin`."""
        living = self.candidates
        kept = positions
        if living.positions is not None:
            kept = find_sorted(living.positions, positions)
        return self.keep_candidates(kept, needed_later)

    def candidates_in(self, events: Array) -> Array:
        """Return the positions of the living candidates in the events at some positions."""
        return np.flatnonzero(mask_at(events, self.n_events).take(self.event_of_candidates()))


class LivingEvents(State):
    """The living events, where these are the candidates."""

    def __init__(self, views: ViewMaker, full: FullView) -> None:
        self.views, self.full = views, full

    @property
    def view(self) -> View:
        """The view in which expressions are evaluated."""
        return self.full

    @property
    def candidates(self) -> Candidates:
        """Raise TypeError: events have no numbers within an event."""
        raise TypeError("events are not candidates of an event")

    @property
    def events(self) -> Array:
        """The positions of the living events in the partition."""
        return self.full.events

    @property
    def n_events(self) -> int:
        """How many events are alive."""
        return len(self.full.events)

    @property
    def n_candidates(self) -> int:
        """How many events are alive."""
        return len(self.full.events)

    def event_of_candidates(self) -> Array:
        """Return the position of each event."""
        return np.arange(len(self.full.events))

    def keep_events(self, kept: Array, needed_later: Set[n.Node]) -> LivingEvents:
        """Return the state with the events at some positions."""
        return LivingEvents(self.views, self.views.narrowed(self.full, kept, needed_later))

    def keep_candidates(self, kept: Array, needed_later: Set[n.Node]) -> LivingEvents:
        """Return the state with the events at some positions."""
        return self.keep_events(kept, needed_later)

    def copied(self, views: ViewMaker) -> LivingEvents:
        """Return a copy that remembers values by itself, with another maker of views."""
        return LivingEvents(views, views.copied(self.full))


class AllCandidates(State):
    """The living events, before any cut on candidates."""

    def __init__(
        self, views: ViewMaker, full: FullView, surviving: SurvivingView | None = None
    ) -> None:
        """Without a ``surviving`` view it is made when it is first asked for."""
        self.views, self.full, self._surviving = views, full, surviving

    @property
    def view(self) -> SurvivingView:
        """The view in which expressions are evaluated."""
        if self._surviving is None:
            self._surviving = self.views.surviving(self.full, None)
        return self._surviving

    @property
    def candidates(self) -> Candidates:
        """All candidates in the living events."""
        return self.view.candidates

    @property
    def events(self) -> Array:
        """The positions of the living events in the partition."""
        return self.full.events

    @property
    def n_events(self) -> int:
        """How many events are alive."""
        return len(self.full.events)

    @property
    def n_candidates(self) -> int:
        """How many candidates the living events have."""
        return self.view.size(self.views.facts.candidates)

    def event_of_candidates(self) -> Array:
        """Return the position of each candidate's event among the living events."""
        return self.view.event_of(self.views.facts.candidates)

    def keep_events(self, kept: Array, needed_later: Set[n.Node]) -> AllCandidates:
        """Return the state with the events at some positions, and all candidates in them."""
        full = self.views.narrowed(self.full, kept, needed_later)
        if self._surviving is None:
            return AllCandidates(self.views, full)
        surviving = self.views.surviving(full, None)
        surviving.remembered = remembered_at(self._surviving, kept, needed_later)
        return AllCandidates(self.views, full, surviving)

    def keep_candidates(self, kept: Array, needed_later: Set[n.Node]) -> CutCandidates:
        """Return the state with the candidates at some positions, which must be sorted."""
        candidates = self.candidates.take(kept)
        events = self.event_of_candidates().take(kept.take(candidates.first))
        pair = ViewPair(self.full, self.view)
        return CutCandidates(
            self.views,
            candidates,
            pair.narrowed(self.views, candidates, kept, events, needed_later),
        )

    def copied(self, views: ViewMaker) -> AllCandidates:
        """Return a copy that remembers values by itself, with another maker of views."""
        full, surviving = views.copied(self.full), self._surviving
        if surviving is not None:
            surviving = views.copied_surviving(surviving, full)
        return AllCandidates(views, full, surviving)


class CutCandidates(State):
    """Living candidates by number, after cuts on candidates; only their events are alive."""

    def __init__(
        self, views: ViewMaker, candidates: Candidates, pair: ViewPair | None = None
    ) -> None:
        """Without a ``pair`` of views, these are made when they are first asked for."""
        self.views, self._candidates, self._pair = views, candidates, pair

    @property
    def view(self) -> SurvivingView:
        """The view in which expressions are evaluated."""
        if self._pair is None:
            full = self.views.full(self._candidates.events)
            self._pair = ViewPair(full, self.views.surviving(full, self._candidates))
        return self._pair.surviving

    @property
    def candidates(self) -> Candidates:
        """The living candidates."""
        return self._candidates

    @property
    def events(self) -> Array:
        """The positions of the living events in the partition."""
        return self._candidates.events

    @property
    def n_events(self) -> int:
        """How many events have a living candidate."""
        return len(self._candidates.first)

    @property
    def n_candidates(self) -> int:
        """How many candidates are alive."""
        return len(self._candidates)

    def event_of_candidates(self) -> Array:
        """Return the position of each candidate's event among the living events."""
        return self._candidates.event

    def keep_events(self, kept: Array, needed_later: Set[n.Node]) -> CutCandidates:
        """Return the state with the events at some positions, and all living candidates in them."""
        candidates = self._candidates.take(self.candidates_in(kept))
        if self._pair is None:
            return CutCandidates(self.views, candidates)
        full = self.views.narrowed(self._pair.full, kept, needed_later)
        surviving = self.views.surviving(full, candidates)
        surviving.remembered = remembered_at(self._pair.surviving, kept, needed_later)
        return CutCandidates(self.views, candidates, ViewPair(full, surviving))

    def keep_candidates(self, kept: Array, needed_later: Set[n.Node]) -> CutCandidates:
        """Return the state with the candidates at some positions, which must be sorted."""
        candidates = self._candidates.take(kept)
        if self._pair is None:
            return CutCandidates(self.views, candidates)
        events = self._candidates.event.take(kept.take(candidates.first))
        pair = self._pair.narrowed(self.views, candidates, kept, events, needed_later)
        return CutCandidates(self.views, candidates, pair)

    def keep_of_origin(self, positions: Array, needed_later: Set[n.Node]) -> State:
        """Return the state with the candidates at sorted positions of their `Candidates.origin`."""
        if self._pair is None:
            return CutCandidates(self.views, self._candidates.origin.subset(positions))
        return super().keep_of_origin(positions, needed_later)

    def copied(self, views: ViewMaker) -> CutCandidates:
        """Return a copy that remembers values by itself, with another maker of views."""
        if self._pair is None:
            return CutCandidates(views, self._candidates)
        full = views.copied(self._pair.full)
        surviving = views.copied_surviving(self._pair.surviving, full)
        return CutCandidates(views, self._candidates, ViewPair(full, surviving))


def all_alive(views: ViewMaker) -> State:
    """Return the state before the first step."""
    return state_of_events(views, views.columns.all_events)


def state_of_events(views: ViewMaker, events: Array) -> State:
    """Return the state of some events before any cut on candidates."""
    if views.facts.candidates == n.EVENT:
        return LivingEvents(views, views.full(events))
    return AllCandidates(views, views.full(events))
