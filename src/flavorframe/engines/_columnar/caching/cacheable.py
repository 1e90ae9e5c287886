"""Which expressions can be cached: those whose value on a candidate no cut changes."""

from __future__ import annotations

from functools import lru_cache

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import formula
from flavorframe.engines._columnar.facts import PlanFacts


def is_cacheable(tree: n.Node, facts: PlanFacts) -> bool:
    """Return whether the value on a candidate depends on that candidate and its event alone."""
    return tree in facts.unchanged and _is_computed_by_lookups(tree, facts.candidates)


@lru_cache(maxsize=1024)  # another plan of the session has most of its expressions in common
def _is_computed_by_lookups(tree: n.Node, candidates: n.Axis) -> bool:
    if tree.axis != candidates or candidates == n.EVENT or isinstance(tree, n.Column):
        return False
    return all(
        (isinstance(node.axis, n.CollectionAxis | n.EventAxis) or _is_listed(node.axis, candidates))
        and (not isinstance(node, n.Match) or node.axis == candidates)
        for node in n.walk(tree)
    )


def _is_listed(axis: n.Axis, candidates: n.Axis) -> bool:
    """Return whether each candidate has a list of stored elements."""
    first = n.lineage(axis)[0]
    if isinstance(first, n.Per) and not isinstance(first.inner, n.CollectionAxis):
        return False
    return isinstance(first, n.NestedAxis) and first.outer == candidates


@lru_cache(maxsize=1024)
def links_in(tree: n.Node) -> tuple[tuple[str, n.Match], ...]:
    """Return the links by value in an expression, each with its formula."""
    return tuple((formula(node), node) for node in n.walk(tree) if isinstance(node, n.Match))
