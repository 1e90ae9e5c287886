"""Checks of expressions, once the kinds of all branches are known."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.reductions import REDUCTIONS
from flavorframe._expr.strings import refuse_computing_with_strings
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
