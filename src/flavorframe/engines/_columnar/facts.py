"""Facts about a plan's expressions that the evaluation needs, found once for all partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flavorframe._expr import nodes as n
from flavorframe._expr.dependence import (
    depending_on_candidates,
    has_lists_without,
    unchanged_by_cuts,
)

Trees = Sequence[n.Node]
"""Expressions in the order of evaluation."""

_CHEAP = (n.Literal, n.Constant, n.Field, n.Position)
"""Nodes that it does not pay to remember the values of."""


@dataclass(frozen=True)
class PlanFacts:
    """Facts about a plan that views and survivors need.

    Attributes:
        candidates: The axis of the candidates.
        shared: The nodes that occur more than once, and are worth remembering.
        depending: The nodes whose values depend on which candidates are alive.
        unchanged: The nodes whose value on an element no cut on candidates changes.
        needed_later: For each whole expression, the shared nodes that later expressions need.
    """

    candidates: n.Axis
    shared: frozenset[n.Node]
    depending: frozenset[n.Node]
    unchanged: frozenset[n.Node]
    needed_later: Mapping[n.Node, frozenset[n.Node]]

    def has_whole_lists(self, axis: n.Axis) -> bool:
        """Return whether a nested axis has all elements of a list where its candidate is alive.

        Then the surviving view knows them, and those of dead candidates need not be made.
        """
        taken = (part for part in n.lineage(axis) if isinstance(part, n.Taken))
        chosen = (by for part in taken for by in part.inside if isinstance(by, n.Node))
        return has_lists_without(axis, self.candidates) and all(
            by in self.unchanged for by in chosen
        )


def facts_of(candidates: n.Axis, chains: Sequence[Trees]) -> PlanFacts:
    """Return the facts of the expressions of some chains with the same candidates."""
    found: set[n.Node] = set()
    shared: set[n.Node] = set()
    depending: set[n.Node] = set()
    unchanged: set[n.Node] = set()
    for tree in dict.fromkeys(tree for trees in chains for tree in trees):
        facts = _tree_facts(tree, candidates)
        shared.update(facts.repeated, facts.nodes & found)
        depending |= facts.depending
        unchanged |= facts.unchanged
        found |= facts.nodes
    for trees in chains:
        shared.update(_asked_twice(trees))
    return PlanFacts(
        candidates,
        frozenset(shared),
        frozenset(depending),
        frozenset(unchanged),
        _needed_later(candidates, chains, frozenset(shared)),
    )


def _asked_twice(trees: Trees) -> list[n.Node]:
    uses = Counter(tree for tree in trees if not isinstance(tree, _CHEAP))
    return [tree for tree, times in uses.items() if times > 1]


def _needed_later(
    candidates: n.Axis, chains: Sequence[Trees], shared: frozenset[n.Node]
) -> dict[n.Node, frozenset[n.Node]]:
    after: dict[n.Node, frozenset[n.Node]] = {}
    for trees in chains:
        asked: frozenset[n.Node] = frozenset()
        last: dict[n.Node, frozenset[n.Node]] = {}
        for tree in reversed(trees):
            last.setdefault(tree, asked)
            asked |= shared & _tree_facts(tree, candidates).nodes
        for tree, needed in last.items():
            after[tree] = after.get(tree, frozenset()) | needed
    return after


@dataclass(frozen=True)
class _TreeFacts:
    """The facts of one tree: ``repeated`` are those of its ``nodes`` that occur more than once.

    Literals and the like are not among the nodes: it does not pay to remember them.
    """

    nodes: frozenset[n.Node]
    repeated: frozenset[n.Node]
    depending: frozenset[n.Node]
    unchanged: frozenset[n.Node]


@lru_cache(maxsize=1024)  # another plan of the session has most of its expressions in common
def _tree_facts(tree: n.Node, candidates: n.Axis) -> _TreeFacts:
    walked = list(n.walk(tree))
    uses = Counter(child for node in walked for child in node.children())
    nodes = frozenset(node for node in walked if not isinstance(node, _CHEAP))
    depending = depending_on_candidates(walked, candidates)
    return _TreeFacts(
        nodes,
        frozenset(node for node in nodes if uses[node] > 1),
        depending,
        unchanged_by_cuts(walked, depending, candidates),
    )
