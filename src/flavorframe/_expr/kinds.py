"""Kinds of values: what is known of them before they are computed, and what goes with what.

A kind is "bool", "int" (a whole number that 64 bits with a sign hold), "unsigned" (one that takes
64 bits without), "float" or "string". It is empty while it is not known: for names until a file is
open, for what a user's function returns until it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.operations import OPERATIONS
from flavorframe.errors import ExpressionError

BITS = {"&": "bit_and", "|": "bit_or", "^": "bit_xor", "~": "bit_not"}
LOGIC = {"&": "and", "|": "or", "^": "xor", "~": "not"}
"""What operators mean on whole numbers, and on truth values."""

ON_BITS = frozenset({*BITS.values(), "shift_left", "shift_right", "bit"})
WHOLE = frozenset({"int", "unsigned"})

_CALLED = {"bool": "a truth value", "int": "a whole number", "unsigned": "a whole number",
           "float": "a decimal number", "string": "a string"}  # fmt: skip
_MEANT = {"&": "'and'", "|": "'or'", "^": "'either ... or'", "~": "'not'"}
_SYMBOLS = {name: symbol for symbol, name in BITS.items()} | {
    "shift_left": "<<", "shift_right": ">>", "bit": "bit",
}  # fmt: skip


def kind_of(node: n.Node) -> str:
    """Return the kind of a node's values.

    >>> kind_of(n.Apply("add", (n.Literal(1), n.Literal(0.5))))
    'float'
    """
    pending = [node]
    while "_kind" not in node.__dict__:
        below = [child for child in pending[-1].children() if "_kind" not in child.__dict__]
        if below:
            pending += below
        else:
            part = pending.pop()
            object.__setattr__(part, "_kind", _kind(part))
    known: str = node.__dict__["_kind"]
    return known


def settled(node: n.Apply) -> n.Apply:
    """Return the node with ``&``, ``|``, ``^`` and ``~`` taken as logic or as bits.

    It is returned as it is while kinds are not known. Raises ExpressionError where logic and bits
    meet, or for what has no bits.
    """
    kinds = [kind_of(argument) for argument in node.arguments]
    operation = settle(node, kinds)
    return node if operation == node.operation else n.Apply(operation, node.arguments)


def settle(node: n.Apply, kinds: Sequence[str]) -> str:
    """Return the operation that a node is on arguments of these kinds; see `settled`."""
    operation = node.operation
    if operation in ON_BITS:
        if not {*kinds} <= WHOLE | {""}:
            raise ExpressionError(_complaint(node, kinds))
        return operation
    if operation not in BITS or {*kinds} == {""}:
        return operation
    if {*kinds} <= {"bool", ""}:
        return operation if "" in kinds else LOGIC[operation]
    if {*kinds} <= WHOLE | {""}:
        return operation if "" in kinds else BITS[operation]
    raise ExpressionError(_complaint(node, kinds))


def undecided(node: n.Apply) -> str:
    """Return the complaint for when a function turns out not to go with the other side."""
    return _complaint(node, [kind_of(argument) for argument in node.arguments])


def with_unsigned_literals(node: n.Apply) -> n.Apply:
    """Return the node with constants as unsigned numbers beside an unsigned one, where they fit."""
    if not any(kind_of(argument) == "unsigned" for argument in node.arguments):
        return node
    return n.Apply(node.operation, tuple(map(_unsigned_literal, node.arguments)))


def kind_of_type(dtype: np.dtype[np.generic]) -> str:
    """Return the kind of the values of a numpy array."""
    if dtype.kind == "u":
        return "unsigned" if dtype.itemsize == 8 else "int"
    return {"b": "bool", "i": "int", "f": "float"}.get(dtype.kind, "string")


def refuse_string(node: n.Node, where: str, what: str) -> None:
    """Raise ExpressionError where a value is known to be a string: what would be done with it?"""
    from flavorframe._expr.formula import brief

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
    from flavorframe._expr.formula import brief

    for child in node.children():
        if kind_of(child) == "string":
            refuse_string(child, brief(node), "computed with")


def _unsigned_literal(node: n.Node) -> n.Node:
    fits = isinstance(node, n.Literal) and kind_of(node) == "int" and int(node.value) >= 0
    return n.Literal(np.uint64(node.value)) if fits else node  # type: ignore[attr-defined]


def _kind(node: n.Node) -> str:
    if isinstance(node, n.Literal):
        return _kind_of_literal(node.value)
    if isinstance(node, n.Column):
        return node.kind
    if isinstance(node, n.Field):  # of such names layouts make truth values
        return "bool" if node.path and node.path[-1].startswith("is_") else ""
    if isinstance(node, n.Take | n.Member | n.Gather):
        return kind_of(node.operand)
    if isinstance(node, n.Reduce):
        return _kind_of_reduced(node)
    if isinstance(node, n.Apply):
        return _kind_of_applied(node.operation, [kind_of(a) for a in node.arguments])
    return _ALWAYS.get(type(node), "")


_ALWAYS: dict[type[n.Node], str] = {
    n.Fired: "bool", n.IsIn: "bool", n.StringTest: "bool", n.Found: "bool",
    n.Position: "int", n.Match: "int", n.CallCorrection: "float",
}  # fmt: skip


def _kind_of_literal(value: n.Value) -> str:
    if isinstance(value, bool | str | float):
        return {bool: "bool", str: "string"}.get(type(value), "float")
    return "unsigned" if isinstance(value, np.uint64) or value >= 2**63 else "int"


def _kind_of_reduced(node: n.Reduce) -> str:
    if node.reduction in ("any", "all"):
        return "bool"
    if node.reduction in ("count", "size", "argmin", "argmax"):
        return "int"
    kind = kind_of(node.operand)
    return "int" if node.reduction == "sum" and kind == "bool" else kind


def _kind_of_applied(operation: str, kinds: Sequence[str]) -> str:
    result = OPERATIONS[operation].kind
    if operation == "where":
        kinds = kinds[1:]
    if result == "bits or logic" and "bool" in kinds:
        return "bool"
    if result in ("bool", "float"):
        return result
    if operation == "where" and {*kinds} == {"bool"}:
        return "bool"
    if "float" in kinds:
        return "float"
    if "" in kinds:
        return ""
    unsigned = _UNSIGNED.get(operation, all)([kind == "unsigned" for kind in kinds])
    return "unsigned" if unsigned else "int"


def _never(_: Sequence[bool]) -> bool:
    return False


def _first(unsigned: Sequence[bool]) -> bool:
    return unsigned[0]


def _last(unsigned: Sequence[bool]) -> bool:
    return unsigned[-1]


_UNSIGNED: dict[str, Callable[[Sequence[bool]], bool]] = {
    "subtract": _never, "negative": _never, "maximum": any, "remainder": _last,
    "bit_and": any, "bit_or": any, "bit_xor": any, "shift_left": _first, "shift_right": _first,
}  # fmt: skip
"""Whether the result is unsigned, by which arguments are: where all are, but for these."""


def _complaint(node: n.Apply, kinds: Sequence[str]) -> str:
    from flavorframe._expr.formula import brief

    symbol = _SYMBOLS.get(node.operation, node.operation)
    texts = [brief(argument) for argument in node.arguments]
    sides = [f"({text})" if " " in text else text for text in texts]
    what = f" {symbol} ".join(sides) if len(sides) > 1 else f"{symbol}{sides[0]}"
    called = " and ".join(
        f"{text} is {_CALLED[kind]}" for text, kind in zip(texts, kinds, strict=True) if kind
    )
    if node.operation in ON_BITS:
        return f"{what}: {called}; {symbol} works on the bits of whole numbers."
    advice = [_advice(side, kind) for side, kind, argument
              in zip(sides, kinds, node.arguments, strict=True)
              if kind not in ("", "bool") and not isinstance(argument, n.Literal)]  # fmt: skip
    return (
        f"{what}: {called}; {symbol} works on the bits of whole numbers, or as "
        f"{_MEANT[node.operation]} on truth values, and not on both. "
        f"{advice[0] if advice else 'Put comparisons in brackets: (x > 1) & (y > 2).'}"
    )


def _advice(side: str, kind: str) -> str:
    if kind == "string":
        return f"Test the string, such as by {side}.startswith('...')."
    if kind == "float":
        return f"Compare the number, in brackets: ({side} > 0)."
    return (
        f"Make a truth value of the number, in brackets: ({side} != 0), or of its bit 1: "
        f"(({side} & 2) != 0) or {side}.bit(1)."
    )
