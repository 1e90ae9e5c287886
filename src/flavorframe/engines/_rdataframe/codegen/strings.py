"""Which expressions compare strings: they cost more than numbers, so they are evaluated last."""

from __future__ import annotations

from collections.abc import Iterable

from flavorframe._expr import nodes as n


def comparing_strings(trees: Iterable[n.Node]) -> frozenset[n.Node]:
    """Return the nodes that test strings, themselves or further below."""
    found: set[n.Node] = set()
    for tree in trees:
        for node in n.walk(tree):
            if isinstance(node, n.StringTest) or any(c in found for c in node.children()):
                found.add(node)
    return frozenset(found)
