"""The way of a partition through the steps of a selection, from the latest place that is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import takewhile
from typing import Any

from flavorframe._cache import Entry
from flavorframe._expr import nodes as n
from flavorframe._planning.plan import Plan
from flavorframe.engines._columnar.columns import Columns
from flavorframe.engines._columnar.known import Key, Known
from flavorframe.engines._columnar.recall import make_known_cuts
from flavorframe.engines._columnar.scheme import Scheme
from flavorframe.engines._columnar.survivors import Survivors
from flavorframe.engines._columnar.view import Links
from flavorframe.engines._exact import ExactFloat, exact_sum
from flavorframe.selection import Best, Cut, Step

Counts = tuple[Any, ...]
"""The numbers of a row of the cutflow."""


@dataclass
class Place:
    """The survivors after so many steps, and the numbers of the cutflow until there."""

    survivors: Survivors
    passed: int = 0
    rows: list[Counts] = field(default_factory=list)

    def forked(self) -> Place:
        """Return a place of its own, without rows of the cutflow."""
        return Place(self.survivors.fork(), self.passed)


class Route:
    """Leads the survivors of a partition through steps."""

    def __init__(
        self, plan: Plan, columns: Columns, scheme: Scheme, known: Known | None = None
    ) -> None:
        """``plan`` is a bound one; with ``known`` nothing is computed twice."""
        self._plan, self._columns, self._scheme, self._known = plan, columns, scheme, known

    def lead(
        self,
        steps: Sequence[Step],
        links: Links | None,
        fork: Place | None = None,
        before: Callable[[int, Place], None] | None = None,
    ) -> Place:
        """Return the place after all steps.

        ``links`` are counted, and rows of the cutflow made, where ``links`` is not None. A ``fork``
        is where to start unless a later place is known. ``before`` is told of each step taken.
        """
        keys = self._keys(steps, counted=links is not None)
        place = self._latest(keys, links)
        if place is None or (fork is not None and fork.passed >= place.passed < len(steps)):
            place = self._start(keys, links) if fork is None else fork.forked()
        while place.passed < len(steps):
            if not self._make_known_cuts(place, steps):
                if before is not None:
                    before(place.passed, place)
                take(steps[place.passed], place.survivors)
                place.passed += 1
                self._count(place)
            self._note(place, keys, steps)
        return place

    def _start(self, keys: Sequence[Key], links: Links | None) -> Place:
        place = Place(Survivors(self._columns, self._scheme, links))
        self._count(place)
        self._note(place, keys, ())
        return place

    def _make_known_cuts(self, place: Place, steps: Sequence[Step]) -> bool:
        """Make the cuts that come next as far as their values are known; return whether any is."""
        if self._known is None or self._plan.is_weighted:
            return False
        nodes = [step.node for step in steps[place.passed :] if isinstance(step, Cut)]
        cuts = list(takewhile(self._scheme.recallable.__contains__, nodes))
        rows = make_known_cuts(place.survivors, cuts, self._known) if cuts else []
        place.passed += len(rows)
        if place.survivors.links is not None:
            place.rows += rows
        return bool(rows)

    def _count(self, place: Place) -> None:
        """Make the row of the cutflow at the place."""
        if place.survivors.links is not None:
            place.rows.append(counts(self._plan, place.survivors))

    def _note(self, place: Place, keys: Sequence[Key], steps: Sequence[Step]) -> None:
        """Note the place, so that it can be known again.

        A place on the way is found again from the values of the cuts that lead there, where these
        are kept; it is for memory only.
        """
        if self._known is None:
            return
        links = place.survivors.links
        if links is not None and _on_events(steps[: place.passed]):
            self._known.widen(place.survivors.view.events)
        facts = {
            "rows": [[_written(number) for number in row] for row in place.rows],
            "links": None if links is None else dict(links.counts),
        }
        kept = place.passed and steps[place.passed - 1].node in self._scheme.recallable
        lasting = not kept or place.passed == len(steps)
        entry = Entry(facts, place.survivors.state())
        self._known.note(keys[place.passed], entry, lasting=lasting)

    def _keys(self, steps: Sequence[Step], *, counted: bool) -> list[Key]:
        if self._known is None:
            return [None] * (len(steps) + 1)
        keys = self._known.trail(self._plan, steps, counted=counted)
        if counted:
            leading = sum(_on_events(steps[: i + 1]) for i in range(len(steps)))
            self._known.widen_from(keys[leading])
        return keys

    def _latest(self, keys: Sequence[Key], links: Links | None) -> Place | None:
        if self._known is None:
            return None
        for lasting in (False, True):  # the disk is asked only where memory has no place at all
            for passed in range(len(keys) - 1, -1, -1):
                entry = self._known.get(keys[passed], lasting=lasting)
                if entry is not None:
                    return self._place(entry, keys, passed, links)
        return None

    def _place(self, entry: Entry, keys: Sequence[Key], passed: int, links: Links | None) -> Place:
        if links is not None:
            links.counts.update({k: tuple(v) for k, v in entry.facts["links"].items()})
        survivors = Survivors(self._columns, self._scheme, links)
        survivors.restore(entry.arrays, keys[passed])
        rows = [tuple(_read(number) for number in row) for row in entry.facts["rows"]]
        return Place(survivors, passed, rows)


def _on_events(steps: Sequence[Step]) -> bool:
    return all(step.node.axis == n.EVENT for step in steps)


def take(step: Step, survivors: Survivors) -> None:
    """Take a step: what does not pass is no longer alive."""
    if isinstance(step, Cut):
        survivors.cut(step.node)
    elif isinstance(step, Best):
        survivors.best(step.node, highest=step.highest)
    else:
        survivors.weigh(step.node)


def counts(plan: Plan, survivors: Survivors) -> Counts:
    """Return how many events and candidates are alive and, where there are, sums of weights."""
    alive = (survivors.n_events, survivors.n_candidates)
    if not plan.is_weighted:
        return alive
    candidates = survivors.weights_on(survivors.scheme.candidates)
    events = survivors.event_weights()
    sumw_events = None if events is None else exact_sum(events)
    return (*alive, sumw_events, exact_sum(candidates), exact_sum(candidates**2))


def _written(number: Any) -> Any:
    """Return a number of a row as JSON can hold it, with all its digits."""
    if isinstance(number, ExactFloat):
        return [str(number.exact.numerator), str(number.exact.denominator)]
    return repr(number) if isinstance(number, float) else number


def _read(number: Any) -> Any:
    if isinstance(number, list):
        return ExactFloat(Fraction(int(number[0]), int(number[1])))
    return float(number) if isinstance(number, str) else number
