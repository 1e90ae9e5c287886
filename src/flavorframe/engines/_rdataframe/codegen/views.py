"""Which values depend on the candidates that are alive, and so change from cut to cut."""

from __future__ import annotations

from collections.abc import Iterable

from flavorframe._expr import nodes as n


def derived(axis: n.Axis, candidates: n.Axis) -> bool:
    """Return whether the axis is the candidates', or made from it."""
    return candidates != n.EVENT and candidates in n.made_from(axis)


def wordy(trees: Iterable[n.Node]) -> frozenset[n.Node]:
    """Return the nodes that read words, themselves or further below."""
    found: set[n.Node] = set()
    for tree in trees:
        for node in n.walk(tree):
            if isinstance(node, n.StringTest) or any(c in found for c in node.children()):
                found.add(node)
    return frozenset(found)


def depending(trees: Iterable[n.Node], candidates: n.Axis) -> frozenset[n.Node]:
    """Return the nodes whose values depend on which candidates are alive."""
    found: set[n.Node] = set()
    for tree in trees:
        for node in n.walk(tree):
            if derived(node.axis, candidates) or any(child in found for child in node.children()):
                found.add(node)
    return frozenset(found)
