"""The operations that expressions are made of: their meaning over numpy arrays, and their look.

Arithmetic is done in double precision and 64-bit integers whatever a file stores, so that every
engine and every reader of the numbers gets the same result. Comparisons are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe._expr.kinematics import (
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

    ``kind`` of the result: ``"bool"``, ``"float"``, ``"number"`` (whole if all arguments are), or
    ``"bits or logic"``, which is known with the kinds of the arguments. ``template`` prints it,
    ``{0}`` being the first argument; ``precedence`` as in Python, the higher the tighter, but for
    bits, which have that of C.
    """

    compute: Callable[..., Array]
    kind: str
    template: str
    precedence: int = 100


def _exact(compare: Callable[..., Array]) -> Callable[..., Array]:
    """Return the comparison of numbers as they are, also of large whole ones with decimal ones."""

    def compute(a: Array, b: Array) -> Array:
        found: Array = compare(a, b)  # for which numpy makes whole numbers decimal, if one is
        if (a.dtype.kind == "f") == (b.dtype.kind == "f"):
            return found
        whole = b if a.dtype.kind == "f" else a
        large = (whole > LAST_EXACT) | (whole < -LAST_EXACT if whole.dtype.kind == "i" else False)
        if large.any():
            found, large, a, b = (np.array(x) for x in np.broadcast_arrays(found, large, a, b))
            found[large] = compare(a[large].astype(object), b[large].astype(object))
        return found

    return compute


LAST_EXACT = 2**53
"""Up to this size each whole number is a double."""

_less, _less_equal = _exact(np.less), _exact(np.less_equal)
_greater, _equal = _exact(np.greater), _exact(np.equal)


def _not_equal(a: Array, b: Array) -> Array:
    return _less(a, b) | _greater(a, b)  # unlike IEEE's !=, false where either is NaN


def _between(lower: Callable[..., Array], upper: Callable[..., Array]) -> Callable[..., Array]:
    def compute(x: Array, low: Array, high: Array) -> Array:
        inside: Array = lower(low, x) & upper(x, high)
        return inside

    return compute


def _is_whole(*arrays: Array) -> bool:
    return all(array.dtype.kind in "iu" for array in arrays)


def _differ(a: Array, b: Array) -> bool:
    """Return whether one is signed and the other is not, of which numpy would make doubles."""
    return _is_whole(a, b) and a.dtype != b.dtype


def _alike(compute: Callable[..., Array]) -> Callable[..., Array]:
    """Return the operation on numbers of one type: an unsigned beside a signed counts as signed."""

    def computed(a: Array, b: Array) -> Array:
        if _differ(a, b):
            return compute(a.astype(np.int64), b.astype(np.int64))
        return compute(a, b)

    return computed


def _signed(values: Array) -> Array:
    return values.astype(np.int64, copy=False) if _is_whole(values) else values


def _subtract(a: Array, b: Array) -> Array:
    return np.subtract(_signed(a), _signed(b)) if _is_whole(a, b) else np.subtract(a, b)


def _negative(a: Array) -> Array:
    return np.negative(_signed(a))


def _floor_divide(a: Array, b: Array) -> Array:
    return _divided(a, b)[0] if _differ(a, b) else np.floor_divide(a, b)


def _remainder(a: Array, b: Array) -> Array:
    return _divided(a, b)[1].astype(b.dtype) if _differ(a, b) else np.remainder(a, b)


def _divided(a: Array, b: Array) -> tuple[Array, Array]:
    """Return quotient and remainder of whole numbers, one of which is signed, from their sizes."""
    size, by = _size(a), _size(b)
    quotient, rest = np.floor_divide(size, by), np.remainder(size, by)
    apart = ((a < 0) != (b < 0)) & (b != 0)
    quotient = np.where(apart, -_signed(quotient + (rest > 0)), _signed(quotient))
    rest = np.where(apart & (rest > 0), by - rest, rest)
    return quotient, np.where(b < 0, -_signed(rest), _signed(rest))


def _size(values: Array) -> Array:
    return np.absolute(values).astype(np.uint64)  # which is right for −2**63 as well


def _minimum(a: Array, b: Array) -> Array:
    if _differ(a, b):  # the smaller one fits into the signed type
        return np.where(a < b, _signed(a), _signed(b))
    return np.minimum(a, b)


def _maximum(a: Array, b: Array) -> Array:
    if _differ(a, b):  # the larger one is not negative
        return np.where(a > b, a.astype(np.uint64), b.astype(np.uint64))
    return np.maximum(a, b)


def _bitwise(compute: Callable[..., Array]) -> Callable[..., Array]:
    def computed(a: Array, b: Array) -> Array:
        if _differ(a, b):
            return compute(a.astype(np.uint64), b.astype(np.uint64))
        return compute(a, b)

    return computed


def _shift(compute: Callable[..., Array]) -> Callable[..., Array]:
    def computed(x: Array, by: Array) -> Array:
        return compute(x, by.astype(x.dtype))  # numpy shifts everything out by 64 or by less than 0

    return computed


def _bit(x: Array, number: Array) -> Array:
    set_: Array = (_shift(np.right_shift)(x, number) & x.dtype.type(1)) != 0
    return set_


def _divide(a: Array, b: Array) -> Array:
    return np.true_divide(np.asarray(a, np.float64), b)


def _power(a: Array, b: Array) -> Array:
    return np.power(np.asarray(a, np.float64), b)


def _where(condition: Array, a: Array, b: Array) -> Array:
    if _differ(a, b):
        a, b = _signed(a), _signed(b)
    return np.where(condition, a, b)


def _unsettled(*_: Array) -> Array:
    raise AssertionError("whether these are bits or logic is known once there are values")


def _function(compute: Callable[..., Array], name: str, arity: int = 1) -> Operation:
    arguments = ", ".join(f"{{{i}}}" for i in range(arity))
    return Operation(compute, "float", f"{name}({arguments})")


OPERATIONS: dict[str, Operation] = {
    "or": Operation(np.logical_or, "bool", "{0} or {1}", 10),
    "xor": Operation(np.logical_xor, "bool", "{0} xor {1}", 15),
    "and": Operation(np.logical_and, "bool", "{0} and {1}", 20),
    "not": Operation(np.logical_not, "bool", "not {0}", 30),
    "|": Operation(_unsettled, "bits or logic", "{0} | {1}", 32),
    "^": Operation(_unsettled, "bits or logic", "{0} ^ {1}", 34),
    "&": Operation(_unsettled, "bits or logic", "{0} & {1}", 36),
    "~": Operation(_unsettled, "bits or logic", "~{0}", 70),
    "bit_or": Operation(_bitwise(np.bitwise_or), "number", "{0} | {1}", 32),
    "bit_xor": Operation(_bitwise(np.bitwise_xor), "number", "{0} ^ {1}", 34),
    "bit_and": Operation(_bitwise(np.bitwise_and), "number", "{0} & {1}", 36),
    "shift_left": Operation(_shift(np.left_shift), "number", "{0} << {1}", 38),
    "shift_right": Operation(_shift(np.right_shift), "number", "{0} >> {1}", 38),
    "bit_not": Operation(np.invert, "number", "~{0}", 70),
    "bit": Operation(_bit, "bool", "bit({0}, {1})"),
    "lt": Operation(_less, "bool", "{0} < {1}", 40),
    "le": Operation(_less_equal, "bool", "{0} ≤ {1}", 40),
    "gt": Operation(_greater, "bool", "{0} > {1}", 40),
    "ge": Operation(_exact(np.greater_equal), "bool", "{0} ≥ {1}", 40),
    "eq": Operation(_equal, "bool", "{0} = {1}", 40),
    "ne": Operation(_not_equal, "bool", "{0} ≠ {1}", 40),
    "between_left": Operation(_between(_less_equal, _less), "bool", "{1} ≤ {0} < {2}", 40),
    "between_right": Operation(_between(_less, _less_equal), "bool", "{1} < {0} ≤ {2}", 40),
    "between_both": Operation(_between(_less_equal, _less_equal), "bool", "{1} ≤ {0} ≤ {2}", 40),
    "between_none": Operation(_between(_less, _less), "bool", "{1} < {0} < {2}", 40),
    "add": Operation(_alike(np.add), "number", "{0} + {1}", 50),
    "subtract": Operation(_subtract, "number", "{0} − {1}", 51),
    "multiply": Operation(_alike(np.multiply), "number", "{0} · {1}", 60),
    "divide": Operation(_divide, "float", "{0} / {1}", 61),
    "floor_divide": Operation(_floor_divide, "number", "⌊{0} / {1}⌋"),
    "remainder": Operation(_remainder, "number", "{0} mod {1}", 60),
    "negative": Operation(_negative, "number", "−{0}", 70),
    "power": Operation(_power, "float", "{0}^{1}", 80),
    "absolute": Operation(np.absolute, "number", "|{0}|"),
    "minimum": Operation(_minimum, "number", "min({0}, {1})"),
    "maximum": Operation(_maximum, "number", "max({0}, {1})"),
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
LOGICAL = frozenset({"and", "or", "xor", "not"})
"""Operations whose arguments are truth values: a number is true where it is not zero."""


def widen(values: Array) -> Array:
    """Return the values as arithmetic takes them: float64, int64, or uint64 where they are that.

    Truth values are returned as they are.

    >>> widen(np.array([1.5], np.float32)).dtype
    dtype('float64')
    """
    if values.dtype.kind == "f":
        return values.astype(np.float64, copy=False)
    if values.dtype.kind == "u" and values.dtype.itemsize == 8:
        return values.astype(np.uint64, copy=False)
    if values.dtype.kind in "iu":
        return values.astype(np.int64, copy=False)
    return values


def equals(a: Array, b: Array) -> Array:
    """Return where two arrays of numbers are equal, as they are."""
    return _equal(_number(a), _number(b))


def is_one_of(x: Array, values: Sequence[bool | int | float | np.uint64]) -> Array:
    """Return where numbers are equal to one of several.

    >>> is_one_of(np.array([1, 2**63 + 1], np.uint64), [2.0**63, 2**63 + 1])
    array([False,  True])
    """
    numbers = _number(x)
    kept = [numbers.dtype.type(int(v) if _is_whole(numbers) else v)
            for v in values if _holds(numbers.dtype, v)]  # fmt: skip
    found: Array = np.isin(numbers, np.array(kept, numbers.dtype))
    return found


def _holds(dtype: np.dtype[Any], value: Any) -> bool:
    """Return whether a type has a number that is exactly this one."""
    if dtype.kind == "f":
        return bool(float(value) == value)
    limits = np.iinfo(dtype)
    return bool(value == value // 1 and limits.min <= value <= limits.max)


def compute(operation: str, arguments: list[Array]) -> Array:
    """Apply the operation to widened arrays; invalid arithmetic gives NaN or infinity, silently.

    Whole numbers have neither: an integer divided by 0 with ``//`` or ``%`` gives 0.

    >>> compute("divide", [np.array([1, 0]), np.array([0, 0])])
    array([inf, nan])
    """
    prepare = _truth if operation in LOGICAL else _number
    if operation == "where":
        condition, *choices = arguments
        truths = all(choice.dtype.kind == "b" for choice in choices)
        prepared = [_truth(condition), *(choices if truths else map(_number, choices))]
    else:
        prepared = [prepare(a) for a in arguments]
    with np.errstate(all="ignore"):
        return OPERATIONS[operation].compute(*prepared)


def _truth(values: Array) -> Array:
    return values if values.dtype.kind == "b" else values != 0


def _number(values: Array) -> Array:
    wide = widen(values)
    return wide.astype(np.int64) if wide.dtype.kind == "b" else wide
