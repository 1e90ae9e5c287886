"""Choices that the dataset decides: what is not chosen for it need not be in its files.

``ff.where(ff.is_simulation, events["genWeight"], 1)`` is 1 in data, which have no such branch.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.operations import compute

_ENDS = {"and": False, "&": False, "or": True, "|": True}
"""The truth value with which these are decided, whatever their other side is."""


def decided_for_sample(node: n.Node, known: Mapping[n.Part, n.Part]) -> n.Node | None:
    """Return what a friendly node is in the dataset that is read, if the sample decides that.

    ``known`` has what its parts are bound to; what a file lacks is not in it.
    """
    if not isinstance(node, n.Apply | n.IsIn):
        return None
    if _is_of_sample(node):
        return _value_of(node, known)
    if not isinstance(node, n.Apply):
        return None
    for place, argument in enumerate(node.arguments):
        if _is_of_sample(argument):
            value = known.get(argument)
            if isinstance(value, n.Constant) and isinstance(value.value, bool):
                return _decided(node, place, value.value, known)
    return None


def _is_of_sample(node: n.Node) -> bool:
    """Return whether a value is known once the dataset is."""
    pending = [node]
    while "_of_sample" not in node.__dict__:
        below = [part for part in _operands(pending[-1]) if "_of_sample" not in part.__dict__]
        if below:
            pending += below
        else:
            part = pending.pop()
            object.__setattr__(part, "_of_sample", _find_of_sample(part))
    known: bool = node.__dict__["_of_sample"]
    return known


def _operands(node: n.Node) -> tuple[n.Node, ...]:
    """Return what a node is computed from, if it may be of the sample alone."""
    return node.children() if isinstance(node, n.Default | n.Apply | n.IsIn) else ()


def _find_of_sample(node: n.Node) -> bool:
    if isinstance(node, n.SampleValue):
        return True
    others = [each for each in _operands(node) if not isinstance(each, n.Literal)]
    return bool(others) and all(each.__dict__["_of_sample"] for each in others)


def _value_of(node: n.Apply | n.IsIn, known: Mapping[n.Part, n.Part]) -> n.Node | None:
    """Return the constant that a condition on the sample is."""
    operands = node.arguments if isinstance(node, n.Apply) else (node.operand,)
    bound = [known.get(each) for each in operands]
    constants = [each for each in bound if isinstance(each, n.Constant | n.Literal)]
    if len(constants) < len(bound):
        return None
    if isinstance(node, n.IsIn):
        return n.Constant(n.EVENT, constants[0].value in node.values)
    arguments = [np.asarray(each.value) for each in constants]
    made = n.Apply(node.operation, tuple(constants))
    if kind_of(made) != "bool" or made.operation in ("&", "|", "^", "~"):
        return None
    return n.Constant(n.EVENT, bool(compute(made.operation, arguments)))


def _decided(
    node: n.Apply, place: int, value: bool, known: Mapping[n.Part, n.Part]
) -> n.Node | None:
    if node.operation == "where" and place == 0:
        return _on(_axis_of(node, known), known.get(node.arguments[1 if value else 2]))
    if node.operation not in _ENDS:
        return None
    if value is _ENDS[node.operation]:
        return n.Constant(_axis_of(node, known), value)
    other = known.get(node.arguments[1 - place])
    is_truth = isinstance(other, n.Node) and kind_of(other) == "bool"
    return other if is_truth else None  # type: ignore[return-value]


def _axis_of(node: n.Apply, known: Mapping[n.Part, n.Part]) -> n.Axis:
    """Return the axis of the whole, as far as the file has what tells it."""
    bound = [known.get(each) for each in (node.axis, *node.arguments)]  # the joint one first
    axes = [each if isinstance(each, n.Axis) else each.axis
            for each in bound if isinstance(each, n.Axis | n.Node)]  # fmt: skip
    return next((axis for axis in axes if axis not in (n.EVENT, n.UNRESOLVED)), n.EVENT)


def _on(axis: n.Axis, chosen: n.Part | None) -> n.Node | None:
    """Return the chosen side with a value for each element of the axis."""
    if not isinstance(chosen, n.Node) or chosen.axis == axis:
        return chosen  # type: ignore[return-value]
    if isinstance(chosen, n.Literal | n.Constant):
        return n.Constant(axis, chosen.value)
    return n.Apply("where", (n.Constant(axis, True), chosen, chosen))
