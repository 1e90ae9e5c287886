"""Objects and their fields, as nodes: ``muon`` is an object, ``muon.pt`` is a value.

An object is a `Field` with an empty path, also behind links and in parts of collections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe.errors import ExpressionError

Through = n.Take | n.Gather | n.Member | n.Inner
"""Nodes that hand on the values of their operand, at other elements."""
SOURCE = "source"
"""The field of what was put together that says which collection an element is of."""

INDEX = "index"
"""The field of members and linked objects that says where they are in their collection."""

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
    if isinstance(field, n.Chain):
        first, *others = map(offered_fields, field.operands)
        return (*(name for name in first if all(name in each for each in others)), SOURCE)
    if not isinstance(field, n.Field):
        return ()
    return _OFFERED.get(field.path[-1] if field.path else field.on.name, ())


def element(axis: n.Axis) -> n.Node:
    """Return the node that stands for one element of the axis."""
    whole = n.lineage(axis)[0]
    if isinstance(whole, n.Per):
        return on_axis(n.Inner(element(whole.inner), whole), axis)
    if isinstance(whole, n.Concatenation):
        return on_axis(n.Chain(tuple(map(element, whole.parents)), whole), axis)
    return on_axis(n.Field(whole, ()), axis)


def stored_axis(axis: n.Axis) -> n.Axis:
    """Return what an axis is in the end taken from, or has a list of for each outer element."""
    first = n.lineage(axis)[0]
    return stored_axis(first.inner) if isinstance(first, n.Per) else first


def on_axis(node: n.Node, axis: n.Axis) -> n.Node:
    """Return the node on the axis; it lives there, on one that this is a part of, or inside it."""
    axes = n.lineage(axis)
    if isinstance(axes[0], n.Per) and node.axis not in axes:
        node = n.Inner(on_axis(node, axes[0].inner), axes[0])
    first = axes.index(node.axis) if node.axis in axes else 0
    for part in axes[first + 1 :]:
        assert isinstance(part, n.Taken)
        node = n.Take(node, part)
    return node


def members_of(axis: n.Axis) -> tuple[n.Node, ...]:
    """Return the nodes of the members of pairs or triples; nothing where these are none.

    Of such that are put together, the first member is the first of whichever it is, and so on.
    """
    if isinstance(axis, n.Combination):
        members = enumerate(map(element, axis.parents))
        return tuple(n.Member(member, axis, i) for i, member in members)
    if not isinstance(axis, n.Concatenation):
        return ()
    each = [
        [on_axis(member, parent) for member in members_of(stored_axis(parent))]
        for parent in axis.parents
    ]
    if len({*map(len, each)}) > 1:
        return ()
    return tuple(n.Chain(members, axis) for members in zip(*each, strict=True))


def is_object(node: n.Node) -> bool:
    """Return whether the node stands for an object, whose fields have values."""
    field = n.innermost(node)
    if isinstance(field, n.Chain):
        return all(map(is_object, field.operands))
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
    if name == INDEX and is_object(node):
        index = _index_of(node)
        if index is not None:
            return index

    def field(of: n.Node) -> n.Node | None:
        if isinstance(of, n.Chain):
            return _field_of_each(of, name)
        return n.Field(of.on, (*of.path, name)) if isinstance(of, n.Field) else None

    return at_innermost(node, field)


def _index_of(node: n.Node) -> n.Node | None:
    """Return where a member or what a link leads to is in its collection; None for others."""
    if isinstance(node, n.Gather):
        return with_operand(node, n.Position(node.target))
    if isinstance(node, n.Member):
        return with_operand(node, n.Position(node.combination.parents[node.position]))
    if not isinstance(node, n.Take | n.Inner):
        return None
    inner = _index_of(node.operand)
    return None if inner is None else with_operand(node, inner)


def _field_of_each(node: n.Chain, name: str) -> n.Node | None:
    """Return the node of a field that all of several objects have, each in its collection."""
    if name == SOURCE and is_object(node):
        return n.Chain(tuple(map(n.Literal, range(len(node.operands)))), node.concatenation)
    fields = [field for each in node.operands if (field := field_of(each, name)) is not None]
    return n.Chain(tuple(fields), node.concatenation) if len(fields) == len(node.operands) else None


def whether_from(node: n.Node, collection: n.Axis) -> n.Node:
    """Return the node of whether an object, which was put together, is of a collection.

    Raises ExpressionError where it was not, or not of that one.
    """

    def is_from(of: n.Node) -> n.Node | None:
        if not isinstance(of, n.Chain) or collection not in of.concatenation.parents:
            return None
        parents = of.concatenation.parents
        return n.Chain(tuple(n.Literal(p == collection) for p in parents), of.concatenation)

    found = at_innermost(node, is_from) if is_object(node) else None
    if found is None:
        whole, made = n.innermost(node).axis, "is not made by ff.concatenate()"
        if isinstance(whole, n.Concatenation):
            made = f"is made of {' and '.join(map(brief, whole.parents))}"
        raise ExpressionError(f"{brief(node)}.is_from({brief(collection)}): {brief(node)} {made}.")
    return found


def at_innermost(node: n.Node, change: Callable[[n.Node], n.Node | None]) -> n.Node | None:
    """Return the node with another one for what is taken, gathered or a member in the end.

    None where ``change`` makes none of it.
    """
    outer: list[Through] = []
    while isinstance(node, Through):
        outer.append(node)
        node = node.operand
    changed = change(node)
    for each in reversed(outer if changed is not None else []):
        assert changed is not None
        changed = with_operand(each, changed)
    return changed


def with_operand(node: Through, operand: n.Node) -> n.Node:
    """Return the node with another operand, which is taken, gathered or a member in its place."""
    if isinstance(node, n.Take):
        return n.Take(operand, node.subset)
    if isinstance(node, n.Gather):
        return n.Gather(operand, node.target, node.index)
    if isinstance(node, n.Inner):
        return n.Inner(operand, node.nested)
    return n.Member(operand, node.combination, node.position)
