"""Refuse strings where expressions compute: a string can only be tested."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import kind_of
from flavorframe.errors import ExpressionError


def refuse_string(node: n.Node, where: str, what: str) -> None:
    """Raise ExpressionError where a value is known to be a string; ``what`` says how it is used."""
    if kind_of(node) != "string":
        return
    only = f"only numbers and truth values are {what}"
    if isinstance(node, n.Literal):
        raise ExpressionError(
            f"{where}: {brief(node)} is a text, and {only}; a text becomes one by ff.parse(), "
            "and strings are tested with .startswith(), .contains(), .matches() or .isin()."
        )
    raise ExpressionError(
        f"{where}: {brief(node)} is a string; test it with .startswith(), .contains(), "
        f".matches() or .isin(), for {only}."
    )


def refuse_computing_with_strings(node: n.Node) -> None:
    """Raise ExpressionError where what a node is computed from is known to be a string."""
    for child in node.children():
        if kind_of(child) == "string":
            refuse_string(child, brief(node), "computed with")
