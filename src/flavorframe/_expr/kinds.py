"""Kinds of values: what is known of them before they are computed.

A kind is "bool", "int" (a whole number that 64 bits with a sign hold), "unsigned" (one that takes
64 bits without), "float" or "string". It is empty while it is not known: for names until a file is
open, for what a user's function returns until it has been called.
"""

from __future__ import annotations

import numpy as np

from flavorframe._expr.axes import Node

WHOLE = frozenset({"int", "unsigned"})


def kind_of(node: Node) -> str:
    """Return the kind of a node's values.

    >>> from flavorframe._expr import nodes as n
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
            object.__setattr__(part, "_kind", part.find_kind())
    known: str = node.__dict__["_kind"]
    return known


def type_of_constant(value: bool | float | np.uint64) -> np.dtype[np.generic]:
    """Return the smallest type that holds a value that stands in for a branch.

    >>> type_of_constant(-1), type_of_constant(300), type_of_constant(0.5), type_of_constant(0.1)
    (dtype('int8'), dtype('uint16'), dtype('float32'), dtype('float64'))
    """
    if not isinstance(value, float):
        return np.min_scalar_type(value)
    with np.errstate(over="ignore"):
        is_single = float(np.float32(value)) == value or value != value
    return np.dtype(np.float32 if is_single else np.float64)


def kind_of_type(dtype: np.dtype[np.generic]) -> str:
    """Return the kind of the values of a numpy array."""
    if dtype.kind == "u":
        return "unsigned" if dtype.itemsize == 8 else "int"
    return {"b": "bool", "i": "int", "f": "float"}.get(dtype.kind, "string")
