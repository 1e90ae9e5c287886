"""Walks through trees, inner nodes first."""

from __future__ import annotations

from collections.abc import Iterator

from flavorframe._expr.axes import Node
from flavorframe._expr.computations import LumiLookup, Reduce
from flavorframe._expr.descent import FirstCopy, IsAncestor, Pointing
from flavorframe._expr.elements import Found, Gather, Match
from flavorframe._expr.parts import parts
from flavorframe._expr.reductions import REDUCTIONS


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything it is computed from, each distinct node once.

    Children come before what is computed from them.
    """
    below: tuple[Node, ...] | None = node.__dict__.get("_below")
    if below is None:  # plans are walked often, and again whenever a cut is changed
        below = tuple(part for part in parts(node) if isinstance(part, Node) and part is not node)
        object.__setattr__(node, "_below", below)
    return iter((*below, node))


def may_be_missing(node: Node) -> bool:
    """Return whether the node's values can be missing: behind a link, or of no element."""
    missing: set[Node] = set()
    for each in walk(node):
        if _is_missing(each, missing):
            missing.add(each)
    return node in missing


def _is_missing(node: Node, missing: set[Node]) -> bool:
    if isinstance(node, Gather | Match | FirstCopy):
        return True
    if isinstance(node, Found | Pointing | IsAncestor):
        return False
    if isinstance(node, LumiLookup) and node.table.values is not None:
        return True
    if isinstance(node, Reduce):
        return REDUCTIONS[node.reduction].may_be_missing
    return any(child in missing for child in node.children())
