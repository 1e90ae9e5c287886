"""The operations that expressions are made of: their meaning over numpy arrays, and their look.

Arithmetic is done in double precision and 64-bit integers whatever a file stores, so that every
engine and every reader of the numbers gets the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe.physics_formulas import (
    cos2d,
    cos3d,
    delta_phi,
    delta_r,
    invariant_mass,
    transverse_mass,
)

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Operation:
    """An element-wise operation.

    ``kind`` of the result: ``"truth"``, ``"float"``, or ``"number"`` (integer if all arguments
    are). ``template`` prints it, ``{0}`` being the first argument; ``precedence`` as in Python,
    the higher the tighter.
    """

    compute: Callable[..., Array]
    kind: str
    template: str
    precedence: int = 100


def _not_equal(a: Array, b: Array) -> Array:
    return (a < b) | (a > b)  # unlike IEEE's !=, false where either is NaN


def _between(lower: Callable[..., Array], upper: Callable[..., Array]) -> Callable[..., Array]:
    def compute(x: Array, low: Array, high: Array) -> Array:
        inside: Array = lower(low, x) & upper(x, high)
        return inside

    return compute


def _divide(a: Array, b: Array) -> Array:
    return np.true_divide(np.asarray(a, np.float64), b)


def _power(a: Array, b: Array) -> Array:
    return np.power(np.asarray(a, np.float64), b)


def _where(condition: Array, a: Array, b: Array) -> Array:
    return np.where(condition, a, b)


def _function(compute: Callable[..., Array], name: str, arity: int = 1) -> Operation:
    arguments = ", ".join(f"{{{i}}}" for i in range(arity))
    return Operation(compute, "float", f"{name}({arguments})")


OPERATIONS: dict[str, Operation] = {
    "or": Operation(np.logical_or, "truth", "{0} or {1}", 10),
    "and": Operation(np.logical_and, "truth", "{0} and {1}", 20),
    "not": Operation(np.logical_not, "truth", "not {0}", 30),
    "lt": Operation(np.less, "truth", "{0} < {1}", 40),
    "le": Operation(np.less_equal, "truth", "{0} ≤ {1}", 40),
    "gt": Operation(np.greater, "truth", "{0} > {1}", 40),
    "ge": Operation(np.greater_equal, "truth", "{0} ≥ {1}", 40),
    "eq": Operation(np.equal, "truth", "{0} = {1}", 40),
    "ne": Operation(_not_equal, "truth", "{0} ≠ {1}", 40),
    "between_left": Operation(_between(np.less_equal, np.less), "truth", "{1} ≤ {0} < {2}", 40),
    "between_right": Operation(_between(np.less, np.less_equal), "truth", "{1} < {0} ≤ {2}", 40),
    "between_both": Operation(
        _between(np.less_equal, np.less_equal), "truth", "{1} ≤ {0} ≤ {2}", 40
    ),
    "between_none": Operation(_between(np.less, np.less), "truth", "{1} < {0} < {2}", 40),
    "add": Operation(np.add, "number", "{0} + {1}", 50),
    "subtract": Operation(np.subtract, "number", "{0} − {1}", 51),
    "multiply": Operation(np.multiply, "number", "{0} · {1}", 60),
    "divide": Operation(_divide, "float", "{0} / {1}", 61),
    "floor_divide": Operation(np.floor_divide, "number", "⌊{0} / {1}⌋"),
    "remainder": Operation(np.remainder, "number", "{0} mod {1}", 60),
    "negative": Operation(np.negative, "number", "−{0}", 70),
    "power": Operation(_power, "float", "{0}^{1}", 80),
    "absolute": Operation(np.absolute, "number", "|{0}|"),
    "minimum": Operation(np.minimum, "number", "min({0}, {1})"),
    "maximum": Operation(np.maximum, "number", "max({0}, {1})"),
    "where": Operation(_where, "number", "({1} if {0} else {2})"),
    "sqrt": Operation(np.sqrt, "float", "√({0})"),
    "exp": _function(np.exp, "exp"),
    "log": _function(np.log, "log"),
    "log10": _function(np.log10, "log10"),
    "sin": _function(np.sin, "sin"),
    "cos": _function(np.cos, "cos"),
    "tan": _function(np.tan, "tan"),
    "arcsin": _function(np.arcsin, "arcsin"),
    "arccos": _function(np.arccos, "arccos"),
    "arctan": _function(np.arctan, "arctan"),
    "arctan2": _function(np.arctan2, "arctan2", 2),
    "arcsinh": _function(np.arcsinh, "arcsinh"),
    "arccosh": _function(np.arccosh, "arccosh"),
    "arctanh": _function(np.arctanh, "arctanh"),
    "sinh": _function(np.sinh, "sinh"),
    "cosh": _function(np.cosh, "cosh"),
    "tanh": _function(np.tanh, "tanh"),
    "hypot": _function(np.hypot, "hypot", 2),
    "floor": _function(np.floor, "floor"),
    "ceil": _function(np.ceil, "ceil"),
    "delta_phi": _function(delta_phi, "Δφ", 2),
    "delta_r": _function(delta_r, "ΔR", 4),
    "mass": _function(invariant_mass, "m", 0),
    "transverse_mass": _function(transverse_mass, "mT", 4),
    "cos2d": _function(cos2d, "cos2D", 6),
    "cos3d": _function(cos3d, "cos3D", 9),
}
LOGICAL = frozenset({"and", "or", "not"})
"""Operations whose arguments are truth values: a number is true where it is not zero."""


def widen(values: Array) -> Array:
    """Return the values as arithmetic takes them: float64, int64, or truth values as they are.

    >>> widen(np.array([1.5], np.float32)).dtype
    dtype('float64')
    """
    if values.dtype.kind == "f":
        return values.astype(np.float64, copy=False)
    if values.dtype.kind in "iu":
        return values.astype(np.int64, copy=False)
    return values


def compute(operation: str, arguments: list[Array]) -> Array:
    """Apply the operation to widened arrays; invalid arithmetic gives NaN or infinity, silently.

    Whole numbers have neither: an integer divided by 0 with ``//`` or ``%`` gives 0.

    >>> compute("divide", [np.array([1, 0]), np.array([0, 0])])
    array([inf, nan])
    """
    prepare = _truth if operation in LOGICAL else _number
    if operation == "where":
        condition, *choices = arguments
        prepared = [_truth(condition), *map(_number, choices)]
    else:
        prepared = [prepare(a) for a in arguments]
    with np.errstate(all="ignore"):
        return OPERATIONS[operation].compute(*prepared)


def _truth(values: Array) -> Array:
    return values if values.dtype.kind == "b" else values != 0


def _number(values: Array) -> Array:
    wide = widen(values)
    return wide.astype(np.int64) if wide.dtype.kind == "b" else wide
