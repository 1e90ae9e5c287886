"""Constants: what may stand in an expression beside other expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeGuard

import numpy as np

from flavorframe._expr.leaves import Value
from flavorframe.errors import ExpressionError

Constant: TypeAlias = "bool | int | float | str | np.generic"


def constant(value: object) -> Value:
    """Return a constant as nodes hold it; raises ExpressionError where it is none."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float | np.floating):
        return float(value)
    if not isinstance(value, int | np.integer) or isinstance(value, np.timedelta64):
        raise ExpressionError(
            f"{type(value).__name__} {value!r} cannot be part of an expression, which takes "
            "expressions, numbers, truth values and strings. Use ff.function for your own "
            "computation over arrays."
        )
    if not -(2**63) <= value < 2**64:
        shown = str(value) if abs(value) < 10**40 else "It"
        raise ExpressionError(
            f"{shown} is no whole number of 64 bits, from −2**63 to 2**64 − 1: write a decimal "
            "number, such as 1e30."
        )
    return int(value)


def constants(values: Sequence[object]) -> tuple[Value, ...]:
    """Return constants that are given one by one, or as one list; those of a list are sorted."""
    if len(values) == 1 and isinstance(values[0], list | tuple | set | frozenset):
        given = [constant(value) for value in values[0]]
        return tuple(sorted(given, key=lambda value: (isinstance(value, str), value)))
    return tuple(map(constant, values))


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a constant is a number or a truth value."""
    return isinstance(value, int | float | np.number)


def is_whole(value: object) -> bool:
    """Return whether a constant is a whole number."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
