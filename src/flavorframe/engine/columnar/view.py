"""The living part of a partition: its events, its elements, and what is known of them.

The *full* view sees every element of the living events; the *surviving* view sees, of the
candidates, only those that passed every cut before. Links and the masks of sub-collections always
look at the full view: an index means the file's numbering.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial

import numpy as np

from flavorframe.engine.columnar.arrays import Array, Names, Values
from flavorframe.engine.columnar.candidates import Candidates
from flavorframe.engine.columnar.columns import Columns
from flavorframe.engine.columnar.evaluate import compute_node
from flavorframe.engine.columnar.segments import combine, ranges, spread
from flavorframe.expr import nodes as n
from flavorframe.expr.formula import formula


class Elements:
    """The elements of an axis in a view, sorted by event.

    ``counts`` says how many each event has and ``parents`` are the positions, in this view, of
    what they are made from. In the surviving view ``full`` has their positions in the full view,
    and ``local`` their indices in the file's numbering.
    """

    def __init__(
        self,
        counts: Array,
        parents: tuple[Array, ...] = (),
        kept: Array | None = None,
        local: Array | None = None,
    ) -> None:
        """Without ``kept`` and ``local`` the elements are all that the full view has."""
        self.counts = counts
        self._parents, self._kept, self._local = parents, kept, local

    @property
    def parents(self) -> tuple[Array, ...]:
        """The positions of what the elements are made from."""
        return self._parents

    @cached_property
    def event(self) -> Array:
        """The position of each element's event in the view."""
        return spread(self.counts)

    @cached_property
    def starts(self) -> Array:
        """Where each event's elements begin."""
        starts: Array = np.cumsum(self.counts) - self.counts
        return starts

    @cached_property
    def full(self) -> Array:
        """The position of each element in the full view."""
        return np.arange(len(self)) if self._kept is None else self._kept

    @cached_property
    def local(self) -> Array:
        """The index of each element in its event, in the file's numbering."""
        if self._local is not None:
            return self._local
        return ranges(np.zeros(len(self.counts), np.int64), self.counts)

    @cached_property
    def size(self) -> int:
        """How many elements there are."""
        return int(self.counts.sum())

    def __len__(self) -> int:
        return self.size

    def restricted(self, kept: Array, parents: tuple[Array, ...] = ()) -> Elements:
        """Return the elements of the full view at the positions ``kept``."""
        counts = np.bincount(self.event.take(kept), minlength=len(self.counts))
        return Elements(counts, parents, kept, self.local.take(kept))


class Living(Elements):
    """The candidates that are alive; the full view is asked only for what it alone can tell."""

    def __init__(self, candidates: Candidates, whole: Callable[[], Elements]) -> None:
        """``whole`` gives the elements of the full view, whose events all have a candidate."""
        super().__init__(candidates.counts)
        self._candidates, self._whole = candidates, whole

    @cached_property
    def parents(self) -> tuple[Array, ...]:
        """The positions of what the candidates are made from."""
        return tuple(members.take(self.full) for members in self._whole().parents)

    @cached_property
    def event(self) -> Array:
        """The position of each candidate's event in the view."""
        return self._candidates.event

    @cached_property
    def full(self) -> Array:
        """The position of each candidate in the full view."""
        positions: Array = self._whole().starts.take(self.event) + self.local
        return positions

    @cached_property
    def local(self) -> Array:
        """The index of each candidate in its event, in the file's numbering."""
        return self._candidates.local


@dataclass
class Links:
    """How many candidates asked for each link, and found no element, or more than one."""

    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Scheme:
    """What views need to know of a plan.

    The candidates' axis; which nodes recur and are worth remembering (``shared``); which depend on
    the surviving candidates (``touching``); which a cut leaves as they are (``settled``); which
    whole expressions have a value for each candidate that never changes (``recallable``), and the
    links by value in each of these, with their formulas; and for each whole expression, which
    shared nodes those after it ask for (``later``).
    """

    candidates: n.Axis
    shared: frozenset[n.Node]
    touching: frozenset[n.Node]
    settled: frozenset[n.Node]
    recallable: frozenset[n.Node]
    links: Mapping[n.Node, tuple[tuple[str, n.Match], ...]]
    later: Mapping[n.Node, frozenset[n.Node]]


def make_scheme(candidates: n.Axis, trees: Sequence[n.Node]) -> Scheme:
    """Return the scheme of a plan's expressions."""
    found: set[n.Node] = set()
    shared: set[n.Node] = set()
    touching: set[n.Node] = set()
    settled: set[n.Node] = set()
    recallable = {}
    for tree in trees:
        facts = _facts(tree, candidates)
        shared.update(facts.repeated, facts.nodes & found)
        touching |= facts.touching
        settled |= facts.settled
        found |= facts.nodes
        if facts.recallable:
            recallable[tree] = facts.links
    return Scheme(
        candidates,
        frozenset(shared),
        frozenset(touching),
        frozenset(settled),
        frozenset(recallable),
        recallable,
        _later(candidates, trees, frozenset(shared)),
    )


def _later(
    candidates: n.Axis, trees: Sequence[n.Node], shared: frozenset[n.Node]
) -> dict[n.Node, frozenset[n.Node]]:
    later: dict[n.Node, frozenset[n.Node]] = {}
    asked: frozenset[n.Node] = frozenset()
    for tree in reversed(trees):
        later.setdefault(tree, asked)
        asked |= shared & _facts(tree, candidates).nodes
    return later


@dataclass(frozen=True)
class _Facts:
    """What a scheme needs to know of one tree: ``repeated`` are those of its ``nodes`` that recur.

    Literals and the like are not among the nodes: it does not pay to remember them.
    """

    nodes: frozenset[n.Node]
    repeated: frozenset[n.Node]
    touching: frozenset[n.Node]
    settled: frozenset[n.Node]
    recallable: bool
    links: tuple[tuple[str, n.Match], ...]


@lru_cache(maxsize=1024)  # another plan of the session has most of its expressions in common
def _facts(tree: n.Node, candidates: n.Axis) -> _Facts:
    walked = list(n.walk(tree))
    uses = Counter(child for node in walked for child in node.children())
    leaves = (n.Literal, n.Field, n.Position)
    nodes = frozenset(node for node in walked if not isinstance(node, leaves))
    touching: set[n.Node] = set()
    settled: set[n.Node] = set()
    for node in walked:
        _classify(node, candidates, touching, settled)
    return _Facts(
        nodes,
        frozenset(node for node in nodes if uses[node] > 1),
        frozenset(touching),
        frozenset(settled),
        tree in settled and _is_plain(tree, candidates),
        tuple((formula(node), node) for node in walked if isinstance(node, n.Match)),
    )


def _is_plain(tree: n.Node, candidates: n.Axis) -> bool:
    """Return whether a value is computed from the candidate and its event by plain look-ups."""
    if tree.axis != candidates or candidates == n.EVENT or isinstance(tree, n.Column):
        return False
    return all(
        isinstance(node.axis, n.CollectionAxis | n.EventAxis)
        and (not isinstance(node, n.Match) or node.axis == candidates)
        for node in n.walk(tree)
    )


def _classify(
    node: n.Node, candidates: n.Axis, touching: set[n.Node], settled: set[n.Node]
) -> None:
    children = list(node.children())
    if derived(node.axis, candidates) or any(child in touching for child in children):
        touching.add(node)
    reduces = isinstance(node, n.Reduce) and node in touching
    if not reduces and all(child in settled for child in children):
        settled.add(node)


def derived(axis: n.Axis, candidates: n.Axis) -> bool:
    """Return whether the axis is the candidates', or made from it."""
    if axis == candidates:
        return axis != n.EVENT
    if isinstance(axis, n.Subset):
        return derived(axis.parent, candidates)
    return isinstance(axis, n.Combination) and any(derived(p, candidates) for p in axis.parents)


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
            known = compute_node(node, self)
            if node in self.scheme.shared:
                self.remembered[node] = known
        return known

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
