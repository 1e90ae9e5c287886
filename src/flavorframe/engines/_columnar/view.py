"""The living part of a partition: its events, its elements, and what is known of them.

The *full* view sees every element of the living events; the *surviving* view sees, of the
candidates, only those that passed every cut before. Links and the masks of sub-collections always
look at the full view: an index means the file's numbering.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array, Names, Values
from flavorframe.engines._columnar.candidates import Candidates
from flavorframe.engines._columnar.columns import Columns
from flavorframe.engines._columnar.depth import SHALLOW, settle
from flavorframe.engines._columnar.elements import Elements, Living
from flavorframe.engines._columnar.evaluate import compute_node
from flavorframe.engines._columnar.scheme import Scheme, derived
from flavorframe.engines._columnar.segments import combine


@dataclass
class Links:
    """How many candidates asked for each link, and found no element, or more than one."""

    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def count(self, name: str, number: Array) -> None:
        """Count how many elements each candidate's link finds, where it is first asked for."""
        none, several = np.count_nonzero(number == 0), np.count_nonzero(number > 1)
        self.counts.setdefault(name, (len(number), int(none), int(several)))


class View:
    """The living events of a partition; see the module's text."""

    def __init__(
        self,
        columns: Columns,
        scheme: Scheme,
        events: Array,
        *,
        links: Links | None = None,
        full: View | None = None,
        alive: Candidates | None = None,
    ) -> None:
        """A view with a ``full`` one is the surviving view of the candidates ``alive``.

        While no cut was on candidates, that is None and all are alive. Otherwise the view's events
        are those that have such a candidate.
        """
        self.columns, self.scheme, self.events = columns, scheme, events
        self.links = links
        self.full = full
        self.alive = alive
        self.remembered: dict[n.Node, Values] = {}
        self._ready: dict[n.Node, Values] = {}
        self.points: dict[tuple[n.Axis, n.Node], tuple[Array, Array]] = {}
        self._elements: dict[n.Axis, Elements] = {}
        self._masks: dict[n.Axis, Array] = {}

    # values

    def evaluate(self, node: n.Node) -> Values:
        """Return the node's values: one an event, or one an element of its axis."""
        if self.full is not None and node not in self.scheme.touching:
            return self.full.evaluate(node)
        known = self.remembered.get(node)
        if known is None:
            known = self._computed(node) if node.height > SHALLOW else compute_node(node, self)
            if node in self.scheme.shared:
                self.remembered[node] = known
        return known

    def _computed(self, node: n.Node) -> Values:
        """Return the values of a deep node, which are forgotten with it if they were ready."""
        if node in self._ready:
            return self._ready.pop(node)
        settle(self, node)
        return compute_node(node, self)

    def has(self, part: n.Part) -> bool:
        """Return whether a node's values, or an axis's elements, are at hand."""
        return part in self.remembered or part in self._ready or part in self._elements

    def make_ready(self, part: n.Part) -> None:
        """Compute a node's values to be asked for once, or make an axis's elements."""
        if isinstance(part, n.Axis):
            self.elements(part)
        elif isinstance(part, n.Node):
            values = compute_node(part, self)
            remembered = part in self.scheme.shared
            (self.remembered if remembered else self._ready)[part] = values

    def spread(self, node: n.Node, axis: n.Axis) -> Values:
        """Return the node's values repeated for each element of the axis, constants included."""
        values = self._repeated(node, axis)
        if isinstance(values.data, Names) or np.ndim(values.data):
            return values
        return Values(np.full(self.size(axis), values.data))

    def aligned(self, arguments: Sequence[n.Node], axis: n.Axis) -> list[Values]:
        """Return the values of several nodes on one axis; constants stay single."""
        return [self._repeated(argument, axis) for argument in arguments]

    def size(self, axis: n.Axis) -> int:
        """Return how many values an expression on the axis has."""
        return len(self.events) if axis == n.EVENT else len(self.elements(axis))

    def event_of(self, axis: n.Axis) -> Array:
        """Return the position of the event of each value on the axis."""
        return np.arange(len(self.events)) if axis == n.EVENT else self.elements(axis).event

    def _repeated(self, node: n.Node, axis: n.Axis) -> Values:
        values = self.evaluate(node)
        if isinstance(node, n.Literal) or node.axis == axis or axis == n.EVENT:
            return values
        return values[self.elements(axis).event]

    # the elements of an axis

    def elements(self, axis: n.Axis) -> Elements:
        """Return the elements of a collection, sub-collection or combination."""
        if self.full is not None and not derived(axis, self.scheme.candidates):
            return self.full.elements(axis)
        if axis not in self._elements:
            if axis.height > SHALLOW:
                settle(self, axis)
            self._elements[axis] = self._make_elements(axis)
        return self._elements[axis]

    @cached_property
    def candidates(self) -> Candidates:
        """The candidates in this view."""
        if self.alive is not None:
            return self.alive
        elements = self.elements(self.scheme.candidates)
        return Candidates.of(self.events.take(elements.event), elements.local)

    def _make_elements(self, axis: n.Axis) -> Elements:
        if self.full is not None and axis == self.scheme.candidates:
            if self.alive is None:
                return self.full.elements(axis)
            return Living(self.alive, partial(self.full.elements, axis))
        if isinstance(axis, n.Subset):
            return self._subset(axis)
        if isinstance(axis, n.Combination):
            return self._combination(axis)
        return Elements(self.columns.sizes(axis, self.events))

    def _subset(self, axis: n.Subset) -> Elements:
        parent = self.elements(axis.parent)
        mask = self._mask(axis)
        positions = np.flatnonzero(mask[parent.full])
        if self.full is None:
            counts = np.bincount(parent.event[positions], minlength=len(self.events))
            return Elements(counts, (positions,))
        rank = np.cumsum(mask) - 1
        kept = rank[parent.full[positions]]
        return self.full.elements(axis).restricted(kept, (positions,))

    def _mask(self, axis: n.Subset) -> Array:
        """Return where the mask holds among all elements of the parent."""
        view = self.full or self
        if axis not in view._masks:
            view._masks[axis] = view.spread(axis.mask, axis.parent).truth()
        return view._masks[axis]

    def _combination(self, axis: n.Combination) -> Elements:
        parents = [self.elements(parent) for parent in axis.parents]
        if self.full is not None:
            return self._surviving_combinations(axis, parents, self.full)
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

    def _surviving_combinations(
        self, axis: n.Combination, parents: list[Elements], full: View
    ) -> Elements:
        whole = full.elements(axis)
        alive = np.ones(len(whole), bool)
        renumbered = []
        for parent, members, parent_axis in zip(parents, whole.parents, axis.parents, strict=True):
            new = np.full(len(full.elements(parent_axis)), -1)
            new[parent.full] = np.arange(len(parent))
            renumbered.append(new[members])
            alive &= new[members] >= 0
        kept = np.flatnonzero(alive)
        return whole.restricted(kept, tuple(members[kept] for members in renumbered))
