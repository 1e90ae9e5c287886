"""Which values depend on the surviving candidates, and which of them a cut leaves unchanged.

A cut removes candidates. It leaves the mass of each that remains as it is, but it changes a sum
over candidates. Both engines ask here which is which.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from flavorframe._expr import nodes as n


@lru_cache(maxsize=1024)  # views ask it for each axis again and again
def is_made_from_candidates(axis: n.Axis, candidates: n.Axis) -> bool:
    """Return whether an axis is the candidates', or a part or combination of them."""
    return candidates != n.EVENT and candidates in n.made_from(axis)


def depending_on_candidates(nodes: Iterable[n.Node], candidates: n.Axis) -> frozenset[n.Node]:
    """Return the nodes whose values depend on which candidates are alive.

    Args:
        nodes: All nodes of some expressions, from the inside out as `nodes.walk` gives them.
        candidates: The axis of the candidates.
    """
    found: set[n.Node] = set()
    for node in nodes:
        if is_made_from_candidates(node.axis, candidates) or any(
            child in found for child in node.children()
        ):
            found.add(node)
    return frozenset(found)


def unchanged_by_cuts(
    nodes: Iterable[n.Node], depending: frozenset[n.Node], candidates: n.Axis
) -> frozenset[n.Node]:
    """Return the nodes whose value on an element no cut on candidates changes.

    Reductions over candidates are not among them, nor is anything that is computed from one. Those
    over the list of each candidate, which has other elements, are.

    Args:
        nodes: All nodes of some expressions, from the inside out as `nodes.walk` gives them.
        depending: Those of them that `depending_on_candidates` finds.
        candidates: The axis of the candidates.
    """
    found: set[n.Node] = set()
    for node in nodes:
        if all(child in found for child in node.children()) and not (
            isinstance(node, n.Reduce)
            and node in depending
            and not has_lists_without(node.operand.axis, candidates)
        ):
            found.add(node)
    return frozenset(found)


def has_lists_without(axis: n.Axis, candidates: n.Axis) -> bool:
    """Return whether an axis is nested and no candidates are in its lists.

    Then a cut removes whole lists, and leaves those of each outer element that remains.
    """
    first = n.lineage(axis)[0]
    if isinstance(first, n.Per):
        return not is_made_from_candidates(first.inner, candidates)
    return isinstance(first, n.NestedAxis)
