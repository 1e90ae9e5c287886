"""A short cut to whether any element with a certain name fulfils a condition, for trigger paths.

A trigger menu has many paths and an expression names few of them, so the condition is evaluated on
these only. They are looked up once for each list of names; most events share one list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.operations import compute
from flavorframe._rootio.arrays import Array, Lists
from flavorframe._rootio.list_indices import ranges, spread
from flavorframe.engines._columnar.depth import MAX_RECURSION
from flavorframe.engines._columnar.segments import mask_at
from flavorframe.engines._columnar.values import Values

if TYPE_CHECKING:
    from flavorframe.engines._columnar.view import View


def is_any_named(node: n.Reduce, view: View) -> bool:
    """Return whether the node is any(a test of names & a condition on plain columns)."""
    operand = node.operand
    if node.reduction != "any" or not isinstance(operand, n.Apply) or operand.operation != "and":
        return False
    test, condition = operand.arguments
    return (
        view.is_full
        and isinstance(test, n.StringTest)
        and isinstance(test.operand, n.Column)
        and isinstance(test.axis, n.CollectionAxis)
        and condition.axis == test.axis
        and condition.height <= MAX_RECURSION
        and _is_plain(condition)
    )


def _is_plain(node: n.Node) -> bool:
    """Return whether the node is made of numbers of the file, none of which can be missing."""
    if isinstance(node, n.Apply):
        kleene = node.operation in ("and", "or")
        return not kleene and all(_is_plain(argument) for argument in node.arguments)
    return isinstance(node, n.Column | n.Literal) and getattr(node, "kind", "") != "string"


def any_named(condition: n.Node, fits: Array, names: Lists, view: View) -> Array:
    """Return for each event whether the condition holds on an element whose name fits.

    ``fits`` says of each name in ``names.content`` whether it does.
    """
    before = np.concatenate(([0], np.cumsum(fits)))
    first = before.take(names.starts)
    counts = before.take(names.starts + names.sizes) - first
    event = spread(counts)
    local = np.flatnonzero(fits).take(ranges(first, counts)) - names.starts.take(event)
    holds = np.broadcast_to(_at(condition, event, local, view), event.shape)
    return mask_at(event[np.flatnonzero(holds)], len(counts))


def _at(node: n.Node, event: Array, local: Array, view: View) -> Array:
    """Return the node's values on some elements, given their events and indices in them."""
    if isinstance(node, n.Literal):
        return np.asarray(node.value)
    if isinstance(node, n.Column):
        lists = view.columns.lists(node, view.events)
        assert isinstance(lists, Lists)
        return Values(lists.at(event, local)).array
    assert isinstance(node, n.Apply)
    return compute(node.operation, [_at(a, event, local, view) for a in node.arguments])
