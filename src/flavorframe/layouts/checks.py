"""Checks of expressions, once the axes and kinds of all branches are known."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.reductions import REDUCTIONS
from flavorframe._expr.strings import refuse_computing_with_strings, refuse_string
from flavorframe.errors import ExpressionError


def check_kinds(tree: n.Node) -> None:
    """Raise ExpressionError where a bound tree computes with strings or tests numbers as names."""
    for node in n.walk(tree):
        if isinstance(node, n.IsIn):
            _check_isin(node)
        elif isinstance(node, n.StringTest):
            if kind_of(node.operand) != "string":
                raise ExpressionError(f"{brief(node)}: {brief(node.operand)} is not a string.")
        elif isinstance(node, n.CallCorrection):
            _check_inputs(node)
        elif isinstance(node, n.Chain):
            _check_chain(node)
        elif not _takes_strings(node):
            refuse_computing_with_strings(node)


def check_axes(part: n.Part) -> None:
    """Raise ExpressionError where parts do not go together, now that their axes are known."""
    if isinstance(part, n.Subset):
        _check_mask(part)
    elif isinstance(part, n.Sorted):
        _check_order(part)
    elif isinstance(part, n.Reduce):
        _check_reducible(part)


def _check_mask(subset: n.Subset) -> None:
    refuse_string(subset.mask, subset.name, "conditions")
    if subset.mask.axis not in (subset.parent, n.EVENT):
        raise ExpressionError(
            f"{brief(subset)}: the condition has one value per {brief(subset.mask.axis)}, and the "
            f"collection is {brief(subset.parent)}."
        )


def _check_order(axis: n.Sorted) -> None:
    refuse_string(axis.by, axis.name, "sorted by")
    if axis.by.axis != axis.parent:
        raise ExpressionError(
            f"{brief(axis)}: the order has one value per {brief(axis.by.axis)}, and the collection "
            f"is {brief(axis.parent)}."
        )


def _check_reducible(node: n.Reduce) -> None:
    if node.operand.axis == n.EVENT:
        what, name = brief(node.operand), "count" if node.reduction == "size" else node.reduction
        raise ExpressionError(
            f"{brief(node)}: {what} has one value per event in this file: .{name}() has nothing "
            f"to reduce. Write {what} itself."
        )


def _check_isin(node: n.IsIn) -> None:
    strings = kind_of(node.operand) == "string"
    if any(isinstance(value, str) != strings for value in node.values):
        kind = "strings" if strings else "numbers"
        raise ExpressionError(f"{brief(node)}: {brief(node.operand)} holds {kind} only.")


def _check_chain(node: n.Chain) -> None:
    strings = [kind_of(operand) == "string" for operand in node.operands]
    if any(strings) and not all(strings):
        words, numbers = node.operands[strings.index(True)], node.operands[strings.index(False)]
        raise ExpressionError(
            f"{brief(node)}: {brief(words)} is a string and {brief(numbers)} is none, so they are "
            "no field of both."
        )


def _check_inputs(node: n.CallCorrection) -> None:
    for argument in node.arguments:
        if kind_of(argument) == "string" and not isinstance(argument, n.Literal):
            raise ExpressionError(
                f"{brief(node)}: {brief(argument)} is a string of the file; a correction takes "
                "numbers, and categories that are written where it is called."
            )


def _takes_strings(node: n.Node) -> bool:
    """Return whether a node hands on values without computing with them."""
    if isinstance(node, n.Reduce):
        return REDUCTIONS[node.reduction].takes_strings
    return isinstance(node, n.Take | n.Member | n.Inner) or (
        isinstance(node, n.Gather) and kind_of(node.index) != "string"
    )
