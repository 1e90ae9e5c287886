"""Objects and their fields, as nodes: ``muon`` is an object, ``muon.pt`` is a value.

An object is a `Field` with an empty path, also behind links and in parts of collections.
"""

from __future__ import annotations

from collections.abc import Mapping

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe.errors import ExpressionError

Through = n.Take | n.Gather | n.Member | n.Inner
"""Nodes that hand on the values of their operand, at other elements."""

_OFFERED: dict[str, tuple[str, ...]] = {}


def offer_fields(fields: Mapping[str, tuple[str, ...]]) -> None:
    """Have tab completion offer these fields of objects, by the objects' names.

    The language itself knows no fields: the layouts, which give them a meaning, say which are
    common.
    """
    _OFFERED.update(fields)


def offered_fields(node: n.Node) -> tuple[str, ...]:
    """Return the fields that tab completion offers for an object."""
    field = n.innermost(node)
    if not isinstance(field, n.Field):
        return ()
    return _OFFERED.get(field.path[-1] if field.path else field.on.name, ())


def element(axis: n.Axis) -> n.Node:
    """Return the node that stands for one element of the axis."""
    return on_axis(n.Field(stored_axis(axis), ()), axis)


def stored_axis(axis: n.Axis) -> n.Axis:
    """Return what an axis is in the end a part of, or has a list of for each outer element."""
    first = n.lineage(axis)[0]
    return stored_axis(first.inner) if isinstance(first, n.Per) else first


def on_axis(node: n.Node, axis: n.Axis) -> n.Node:
    """Return the node on the axis; it lives there, on one that this is a part of, or inside it."""
    axes = n.lineage(axis)
    if isinstance(axes[0], n.Per) and node.axis not in axes:
        node = n.Inner(on_axis(node, axes[0].inner), axes[0])
    first = axes.index(node.axis) if node.axis in axes else 0
    for part in axes[first + 1 :]:
        assert isinstance(part, n.Subset)
        node = n.Take(node, part)
    return node


def is_object(node: n.Node) -> bool:
    """Return whether the node stands for an object, whose fields have values."""
    field = n.innermost(node)
    return isinstance(field, n.Field) and not field.path


def value_of(node: n.Node) -> n.Node:
    """Return the node; raises ExpressionError where it is an object instead of a value."""
    if is_object(node):
        raise ExpressionError(
            f"{brief(node)} is an object, not a value: ask one of its fields, such as "
            f"{brief(node)}.pt, or write events['Name'] for a branch of that name."
        )
    return node


def field_of(node: n.Node, name: str) -> n.Node | None:
    """Return the node of a field of what ``node`` stands for, or None where it has none."""
    outer: list[Through] = []
    while isinstance(node, Through):
        outer.append(node)
        node = node.operand
    if not isinstance(node, n.Field):
        return None
    field: n.Node = n.Field(node.on, (*node.path, name))
    for each in reversed(outer):
        field = with_operand(each, field)
    return field


def with_operand(node: Through, operand: n.Node) -> n.Node:
    """Return the node with another operand, which is taken, gathered or a member in its place."""
    if isinstance(node, n.Take):
        return n.Take(operand, node.subset)
    if isinstance(node, n.Gather):
        return n.Gather(operand, node.target, node.index)
    if isinstance(node, n.Inner):
        return n.Inner(operand, node.nested)
    return n.Member(operand, node.combination, node.position)
