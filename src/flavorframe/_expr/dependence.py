"""Which values depend on the surviving candidates, and which of them a cut leaves unchanged.

A cut removes candidates. It leaves the mass of each that remains as it is, but it changes a sum
over candidates. Both engines ask here which is which.
"""

from __future__ import annotations

from collections.abc import Iterable

from flavorframe._expr import nodes as n


def is_made_from_candidates(axis: n.Axis, candidates: n.Axis) -> bool:
    """Return whether an axis is the candidates', or a part or combination of them."""
    return candidates != n.EVENT and candidates in n.made_from(axis)


def depending_on_candidates(trees: Iterable[n.Node], candidates: n.Axis) -> frozenset[n.Node]:
    """Return the nodes in some trees whose values depend on which candidates are alive."""
    found: set[n.Node] = set()
    for tree in trees:
        for node in n.walk(tree):
            if is_made_from_candidates(node.axis, candidates) or any(
                child in found for child in node.children()
            ):
                found.add(node)
    return frozenset(found)


def unchanged_by_cuts(trees: Iterable[n.Node], depending: frozenset[n.Node]) -> frozenset[n.Node]:
    """Return the nodes in some trees whose value on an element no cut on candidates changes.

    Reductions over candidates are not among them, nor is anything that is computed from one.

    Args:
        trees: Expressions.
        depending: The nodes in them that `depending_on_candidates` finds.
    """
    found: set[n.Node] = set()
    for tree in trees:
        for node in n.walk(tree):
            reduces_candidates = isinstance(node, n.Reduce) and node in depending
            if not reduces_candidates and all(child in found for child in node.children()):
                found.add(node)
    return frozenset(found)
