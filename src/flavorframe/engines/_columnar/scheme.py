"""What the evaluation needs to know of a plan, worked out once: see `Scheme`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import formula


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
    return candidates != n.EVENT and candidates in n.made_from(axis)
