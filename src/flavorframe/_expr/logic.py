"""Whether ``&``, ``|``, ``^`` and ``~`` are logic or work on bits: decided by the kinds of values.

On truth values they mean 'and', 'or', 'either ... or' and 'not'; on whole numbers they work on the
bits. Mixing both is refused. While kinds are not known, nodes keep the operator itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import WHOLE, kind_of
from flavorframe._expr.operations import BITS, LOGIC, ON_BITS
from flavorframe.errors import ExpressionError

_CALLED = {"bool": "a truth value", "int": "a whole number", "unsigned": "a whole number",
           "float": "a decimal number", "string": "a string"}  # fmt: skip
_MEANT = {"&": "'and'", "|": "'or'", "^": "'either ... or'", "~": "'not'"}
_SYMBOLS = {name: symbol for symbol, name in BITS.items()} | {
    "shift_left": "<<", "shift_right": ">>", "bit": "bit",
}  # fmt: skip


def decided(node: n.Apply) -> n.Apply:
    """Return the node with ``&``, ``|``, ``^`` and ``~`` taken as logic or as bits.

    It is returned as it is while kinds are not known. Raises ExpressionError where logic and bits
    meet, or for what has no bits.
    """
    kinds = [kind_of(argument) for argument in node.arguments]
    operation = operation_on(kinds, node)
    return node if operation == node.operation else n.Apply(operation, node.arguments)


def operation_on(kinds: Sequence[str], node: n.Apply) -> str:
    """Return the operation that a node is on arguments of these kinds; see `decided`."""
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


def complaint(node: n.Apply) -> str:
    """Return the error's text for when only values show that the two sides do not go together."""
    return _complaint(node, [kind_of(argument) for argument in node.arguments])


def with_unsigned_literals(node: n.Apply) -> n.Apply:
    """Return the node with constants as unsigned numbers beside an unsigned one, where they fit."""
    if not any(kind_of(argument) == "unsigned" for argument in node.arguments):
        return node
    return n.Apply(node.operation, tuple(map(_unsigned_literal, node.arguments)))


def _unsigned_literal(node: n.Node) -> n.Node:
    fits = isinstance(node, n.Literal) and kind_of(node) == "int" and int(node.value) >= 0
    return n.Literal(np.uint64(node.value)) if fits else node  # type: ignore[attr-defined]


def _complaint(node: n.Apply, kinds: Sequence[str]) -> str:
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
