"""Where nested axes may not be: what must be reduced to one value for each outer element first."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe.errors import ExpressionError


def refuse_nested(node: n.Node, where: str) -> None:
    """Raise ExpressionError where values to be filled or kept are on a nested axis."""
    if not n.is_nested(node.axis):
        return
    outer = brief(n.outer_axis(node.axis))
    raise ExpressionError(
        f"{where} takes one value per event or element, and {brief(node)} has a list of them for "
        f"each {outer}, one value per {brief(node.axis)}: reduce it to one per {outer} with "
        f"any(), sum(), min() ...{_flat(n.lineage(node.axis)[0])}."
    )


def refuse_nested_axis(axis: n.Axis, what: str) -> None:
    """Raise ExpressionError where a collection must not be one of each element of another."""
    if n.is_nested(axis):
        raise ExpressionError(
            f"{what}: {brief(axis)} is a list for each {brief(n.outer_axis(axis))}, and this takes "
            f"a list for each event{_flat(n.lineage(axis)[0])}."
        )


def _flat(axis: n.Axis) -> str:
    """Return how to make a collection of the elements of all lists of an event."""
    if not isinstance(axis, n.Per) or axis.inner == axis.outer:
        return ""
    pairs = n.Combination((axis.outer, axis.inner))
    return f", or build ff.{brief(pairs)}, which has the same elements"
