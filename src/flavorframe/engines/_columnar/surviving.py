"""The view of the living candidates, over the full view of the same events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.dependence import is_made_from_candidates
from flavorframe._rootio.arrays import Array, Lists
from flavorframe.engines._columnar.candidates import Candidates
from flavorframe.engines._columnar.elements import Elements, LivingCandidates, NestedElements
from flavorframe.engines._columnar.links import LinkCounts
from flavorframe.engines._columnar.values import Values
from flavorframe.engines._columnar.view import FullView, View


class SurvivingView(View):
    """The living candidates; what does not depend on them is taken from the full view."""

    is_full = False

    def __init__(self, whole: FullView, alive: Candidates | None, links: LinkCounts | None) -> None:
        """Before the first cut on candidates ``alive`` is None, and all of them are alive.

        After it, the events are those that have a living candidate.
        """
        super().__init__(whole.columns, whole.facts, whole.events, links)
        self._whole, self.alive = whole, alive

    @property
    def whole(self) -> FullView:
        """The full view of the same events."""
        return self._whole

    def view_of(self, part: n.Part) -> View:
        """Return this view for what depends on the candidates, or the full one."""
        if isinstance(part, n.Node):
            return self if part in self.facts.depending else self._whole
        depends = isinstance(part, n.Axis) and is_made_from_candidates(part, self.facts.candidates)
        return self if depends else self._whole

    def evaluate(self, node: n.Node) -> Values:
        """Return the node's values: one an event, or one an element of its axis."""
        if node not in self.facts.depending:
            return self._whole.evaluate(node)
        return super().evaluate(node)

    def column(self, column: n.Column) -> Values:
        """Return a column's values on the living candidates."""
        elements = self.elements(column.axis)
        if isinstance(column.on, n.StoredLists):
            return self._whole.column(column)[elements.full]
        self._whole.elements(column.axis)  # lists of all columns must be as long as these
        lists = self.columns.lists(column, self.events)
        assert isinstance(lists, Lists)
        if self.alive is None:
            return Values(lists.elements)
        if lists.placed is None:
            return Values(lists.taken(elements.full))
        return Values(lists.at(elements.owner, elements.local))

    def elements(self, axis: n.Axis) -> Elements:
        """Return the elements of a collection, sub-collection or combination."""
        if not is_made_from_candidates(axis, self.facts.candidates):
            return self._whole.elements(axis)
        return super().elements(axis)

    @cached_property
    def candidates(self) -> Candidates:
        """The living candidates."""
        if self.alive is not None:
            return self.alive
        elements = self.elements(self.facts.candidates)
        return Candidates.of(self.events.take(elements.owner), elements.local)

    def _make_elements(self, axis: n.Axis) -> Elements:
        if axis == self.facts.candidates:
            if self.alive is None:
                return self._whole.elements(axis)
            return LivingCandidates(self.alive, partial(self._whole.elements, axis))
        if isinstance(axis, n.Concatenation):
            return self._of_living(axis, [self._living(axis.parents)])
        if n.is_nested(axis):
            return self._nested(axis)
        assert isinstance(axis, n.Taken | n.Combination)
        parents = (axis.parent,) if isinstance(axis, n.Taken) else axis.parents
        return self._of_living(axis, [self._living([parent]) for parent in parents])

    def _nested(self, axis: n.Axis) -> Elements:
        """Return the elements of nested lists: those of living outer elements."""
        complete = self.facts.has_whole_lists(axis)
        if isinstance(axis, n.Per):
            counts, places = self._per(axis)
            local = None if complete else self.elements(axis.inner).local.take(places)
            return NestedElements(counts, (places,), self._starts_in_full(axis), local)
        if isinstance(axis, n.StoredLists):
            counts = self._whole.elements(axis).counts.take(self.elements(axis.outer).full)
            return NestedElements(counts, (), self._starts_in_full(axis))
        assert isinstance(axis, n.Taken)
        if complete:
            taken = self._taken(axis)
            return NestedElements(taken.counts, taken.parents, self._starts_in_full(axis))
        parent, living = self.elements(axis.parent), self._living([axis.parent])
        found = self._of_living(axis, [living])
        return Elements(parent.counted(found.parents[0]), found.parents, found.full, found.local)

    def _starts_in_full(self, axis: n.Axis) -> Callable[[], Array]:
        """Return what finds where the lists of a nested axis start in the full view."""
        return lambda: self._whole.elements(axis).starts.take(
            self.elements(n.outer_axis(axis)).full
        )

    def part(self, begin: int, end: int, links: LinkCounts | None) -> SurvivingView:
        """Return the view of the events between two positions."""
        alive = self.alive
        if alive is not None:
            first = np.append(alive.first, len(alive))
            alive = alive.take(np.arange(first[begin], first[end]))
        return SurvivingView(self._whole.part(begin, end, links), alive, links)

    def _living(self, axes: Iterable[n.Axis]) -> tuple[Array, int]:
        """Return the positions of living elements among all of some axes, one after the other."""
        positions, size = list[Array](), 0
        for axis in axes:
            positions.append(self.elements(axis).full + size)
            size += len(self._whole.elements(axis))
        return np.concatenate(positions), size

    def _of_living(self, axis: n.Axis, living: Sequence[tuple[Array, int]]) -> Elements:
        """Return the elements that are made of living ones, which are given for each parent."""
        whole = self._whole.elements(axis)
        alive, renumbered = np.ones(len(whole), bool), []
        for (positions, size), members in zip(living, whole.parents, strict=True):
            new = np.full(size, -1)
            new[positions] = np.arange(len(positions))
            renumbered.append(new[members])
            alive &= renumbered[-1] >= 0
        kept = np.flatnonzero(alive)
        return whole.restricted(kept, tuple(members[kept] for members in renumbered))
