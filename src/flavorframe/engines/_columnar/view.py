"""Views of a partition: its living events, their elements, and the values computed on them.

Events and candidates are *living* when they have passed all cuts so far. The *full* view sees every
element of the living events; the *surviving* view sees, of the candidates, only the living ones.
Links and the masks of sub-collections always look at the full view, because an index means the
file's numbering.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import formula
from flavorframe._rootio.arrays import Array, Strings
from flavorframe._rootio.list_indices import ranges
from flavorframe.engines._columnar.columns import Columns
from flavorframe.engines._columnar.compute import compute_node
from flavorframe.engines._columnar.depth import MAX_RECURSION, compute_deep_parts
from flavorframe.engines._columnar.elements import Elements
from flavorframe.engines._columnar.facts import PlanFacts
from flavorframe.engines._columnar.links import LinkCounts
from flavorframe.engines._columnar.orders import in_order, one_after_the_other
from flavorframe.engines._columnar.segments import combine
from flavorframe.engines._columnar.values import Values


class View(ABC):
    """What both views have in common: values of nodes, and elements of axes."""

    is_full: ClassVar[bool]

    def __init__(
        self, columns: Columns, facts: PlanFacts, events: Array, links: LinkCounts | None
    ) -> None:
        """``links`` counts links by value; None where they are not to be counted."""
        self.columns, self.facts, self.events, self.links = columns, facts, events, links
        self.remembered: dict[n.Node, Values] = {}
        self.points: dict[tuple[n.Axis, n.Node], tuple[Array, Array]] = {}
        self._computed_ahead: dict[n.Node, Values] = {}
        self._elements: dict[n.Axis, Elements] = {}

    @property
    @abstractmethod
    def whole(self) -> FullView:
        """The full view of the same events."""

    @abstractmethod
    def view_of(self, part: n.Part) -> View:
        """Return the view of a node's values or an axis's elements: this one or the full one."""

    @abstractmethod
    def part(self, begin: int, end: int, links: LinkCounts | None) -> View:
        """Return the view of the events between two positions."""

    # values

    def evaluate(self, node: n.Node) -> Values:
        """Return the node's values: one an event, or one an element of its axis."""
        values = self.remembered.get(node)
        if values is None:
            values = (
                self._computed(node) if node.height > MAX_RECURSION else compute_node(node, self)
            )
            if node in self.facts.shared:
                self.remembered[node] = values
        return values

    def _computed(self, node: n.Node) -> Values:
        """Return the values of a deep node; those that were computed ahead are needed only once."""
        if node in self._computed_ahead:
            return self._computed_ahead.pop(node)
        compute_deep_parts(self, node)
        return compute_node(node, self)

    def has(self, part: n.Part) -> bool:
        """Return whether a node's values, or an axis's elements, are known already."""
        return part in self.remembered or part in self._computed_ahead or part in self._elements

    def compute_ahead(self, part: n.Part) -> None:
        """Compute a node's values before `evaluate` needs them, or make an axis's elements."""
        if isinstance(part, n.Axis):
            self.elements(part)
        elif isinstance(part, n.Node):
            values = compute_node(part, self)
            remembered = part in self.facts.shared
            (self.remembered if remembered else self._computed_ahead)[part] = values

    def spread(self, node: n.Node, axis: n.Axis) -> Values:
        """Return the node's values repeated for each element of the axis, constants included."""
        values = self._repeated(node, axis)
        if isinstance(values.data, Strings) or np.ndim(values.data):
            return values
        return Values(np.full(self.size(axis), values.data))

    def aligned(self, arguments: Sequence[n.Node], axis: n.Axis) -> list[Values]:
        """Return the values of several nodes on one axis; constants stay single."""
        return [self._repeated(argument, axis) for argument in arguments]

    def _repeated(self, node: n.Node, axis: n.Axis) -> Values:
        values = self.evaluate(node)
        if isinstance(node, n.Literal) or node.axis == axis or axis == n.EVENT:
            return values
        return values[self.places_on(node.axis, axis)]

    @abstractmethod
    def column(self, column: n.Column) -> Values:
        """Return the values of a column, on the events or elements of this view."""

    def note_matches(self, link: n.Match, matches: Array) -> None:
        """Count the candidates of a link by value by how many elements each of them matches."""
        if self.links is not None:
            self.links.count(formula(link), matches)

    # the elements of an axis

    def size(self, axis: n.Axis) -> int:
        """Return how many values an expression on the axis has."""
        return len(self.events) if axis == n.EVENT else len(self.elements(axis))

    def event_of(self, axis: n.Axis) -> Array:
        """Return the position of the event of each value on the axis."""
        return self.places_on(n.EVENT, axis)

    def places_on(self, outer: n.Axis, axis: n.Axis) -> Array:
        """Return, of each value on an axis, the position of its event or outer element."""
        if axis == outer:
            return np.arange(self.size(axis))
        owner, own = self.elements(axis).owner, n.outer_axis(axis)
        return owner if own == outer else self.places_on(outer, own).take(owner)

    def view_of_lists(self, target: n.Axis) -> View:
        """Return the view in which links find all elements of a collection that the file has."""
        return self if self.facts.has_whole_lists(target) else self.whole

    def lists_asked(self, target: n.Axis, axis: n.Axis) -> tuple[Elements, Array]:
        """Return what links lead to, and which of its lists each value on an axis asks."""
        where, outer = self.view_of_lists(target), n.outer_axis(target)
        asked = self.places_on(outer, axis)
        if where is not self and outer != n.EVENT:
            asked = self.elements(outer).full.take(asked)
        return where.elements(target), asked

    def elements(self, axis: n.Axis) -> Elements:
        """Return the elements of a collection, sub-collection or combination."""
        if axis not in self._elements:
            if axis.height > MAX_RECURSION:
                compute_deep_parts(self, axis)
            self._elements[axis] = self._make_elements(axis)
        return self._elements[axis]

    @abstractmethod
    def _make_elements(self, axis: n.Axis) -> Elements: ...

    def _taken(self, axis: n.Taken) -> Elements:
        """Return the elements of a part, or of a collection in another order, where all are."""
        parent = self.elements(axis.parent)
        if isinstance(axis, n.Subset):
            positions = np.flatnonzero(self.spread(axis.mask, axis.parent).truth())
            return Elements(parent.counted(positions), (positions,))
        assert isinstance(axis, n.Sorted)
        by = self.spread(axis.by, axis.parent)
        return Elements(parent.counts, (in_order(by, parent.owner, descending=axis.descending),))

    def _per(self, axis: n.Per) -> tuple[Array, Array]:
        """Return the lengths of nested lists, and where their elements are on the inner axis."""
        outer, inner = self.elements(axis.outer), self.elements(axis.inner)
        self.columns.check_combinations(axis, outer.counts * inner.counts, self.events)
        event = self.event_of(axis.outer)
        counts = inner.counts.take(event)
        return counts, ranges(inner.starts.take(event), counts)


class FullView(View):
    """Every element of the living events."""

    is_full = True

    def __init__(
        self, columns: Columns, facts: PlanFacts, events: Array, links: LinkCounts | None
    ) -> None:
        super().__init__(columns, facts, events, links)

    @property
    def whole(self) -> FullView:
        """The view itself."""
        return self

    def view_of(self, part: n.Part) -> View:
        """Return this view, which has everything."""
        return self

    def column(self, column: n.Column) -> Values:
        """Return the values of a column as they are in the file."""
        return Values(self.columns.values(column, self.events))

    def _make_elements(self, axis: n.Axis) -> Elements:
        if isinstance(axis, n.Taken):
            return self._taken(axis)
        if isinstance(axis, n.Combination):
            return self._combination(axis)
        if isinstance(axis, n.Concatenation):
            return self._concatenation(axis)
        if isinstance(axis, n.Per):
            counts, places = self._per(axis)
            return Elements(counts, (places,))
        if isinstance(axis, n.StoredLists):
            return Elements(self.columns.nested_sizes(axis, self.events))
        return Elements(self.columns.sizes(axis, self.events))

    def part(self, begin: int, end: int, links: LinkCounts | None) -> FullView:
        """Return the view of the events between two positions."""
        return FullView(self.columns, self.facts, self.events[begin:end], links)

    def _concatenation(self, axis: n.Concatenation) -> Elements:
        counts = [self.elements(parent).counts for parent in axis.parents]
        return Elements(np.sum(counts, axis=0), (one_after_the_other(counts),))

    def _combination(self, axis: n.Combination) -> Elements:
        parents = [self.elements(parent) for parent in axis.parents]
        numbers = np.ones(len(self.events))
        for parent, taken in Counter(axis.parents).items():
            for already in range(taken):  # each set of elements of one collection comes once
                numbers *= (self.elements(parent).counts - already) / (already + 1)
        self.columns.check_combinations(axis, numbers, self.events)
        same = [
            max((j for j in range(i) if axis.parents[j] == parent), default=-1)
            for i, parent in enumerate(axis.parents)
        ]
        event, members = combine([p.starts for p in parents], [p.counts for p in parents], same)
        return Elements(np.bincount(event, minlength=len(self.events)), tuple(members))
