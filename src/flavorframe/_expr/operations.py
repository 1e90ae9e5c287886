"""The operations that expressions are made of: how they are computed over numpy arrays and written.

Arithmetic is done in double precision and 64-bit integers whatever a file stores, so that every
engine and every reader of the numbers gets the same result. Comparisons are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe._expr.arithmetic import (
    Array,
    alike,
    between,
    bit,
    bitwise,
    divide,
    equal,
    floor_divide,
    greater,
    greater_equal,
    is_whole,
    less,
    less_equal,
    maximum,
    minimum,
    negative,
    not_equal,
    power,
    remainder,
    shift,
    subtract,
    where,
)
from flavorframe._expr.kinematics import (
    angle,
    cos2d,
    cos3d,
    delta_phi,
    delta_r,
    invariant_mass,
    mass_of_components,
    transverse_mass,
)

ATOM = 100
"""The precedence of what is never put in brackets."""
WITHOUT_BRACKETS = (10, 15, 20, 32, 34, 36, 50, 60)
"""The precedences of operations that need no brackets among themselves."""

BITS = {"&": "bit_and", "|": "bit_or", "^": "bit_xor", "~": "bit_not"}
LOGIC = {"&": "and", "|": "or", "^": "xor", "~": "not"}
"""What operators mean on whole numbers, and on truth values."""
ON_BITS = frozenset({*BITS.values(), "shift_left", "shift_right", "bit"})
"""Operations whose arguments must be whole numbers."""


@dataclass(frozen=True)
class Operation:
    """An element-wise operation.

    ``kind`` of the result is "bool", "float", "number" (whole if all arguments are), or "bits or
    logic", which is decided when the kinds of the arguments are known. ``template`` is how it is
    written, ``{0}`` being the first argument. The higher the ``precedence``, the tighter it binds,
    in the order of Python, except for bits, which have the order of C.
    """

    compute: Callable[..., Array]
    kind: str
    template: str
    precedence: int = ATOM


def _undecided(*_: Array) -> Array:
    raise AssertionError("whether these are bits or logic is known once there are values")


def _function(compute: Callable[..., Array], name: str, arity: int = 1) -> Operation:
    arguments = ", ".join(f"{{{i}}}" for i in range(arity))
    return Operation(compute, "float", f"{name}({arguments})")


OPERATIONS: dict[str, Operation] = {
    "or": Operation(np.logical_or, "bool", "{0} or {1}", 10),
    "xor": Operation(np.logical_xor, "bool", "{0} xor {1}", 15),
    "and": Operation(np.logical_and, "bool", "{0} and {1}", 20),
    "not": Operation(np.logical_not, "bool", "not {0}", 30),
    "|": Operation(_undecided, "bits or logic", "{0} | {1}", 32),
    "^": Operation(_undecided, "bits or logic", "{0} ^ {1}", 34),
    "&": Operation(_undecided, "bits or logic", "{0} & {1}", 36),
    "~": Operation(_undecided, "bits or logic", "~{0}", 70),
    "bit_or": Operation(bitwise(np.bitwise_or), "number", "{0} | {1}", 32),
    "bit_xor": Operation(bitwise(np.bitwise_xor), "number", "{0} ^ {1}", 34),
    "bit_and": Operation(bitwise(np.bitwise_and), "number", "{0} & {1}", 36),
    "shift_left": Operation(shift(np.left_shift), "number", "{0} << {1}", 38),
    "shift_right": Operation(shift(np.right_shift), "number", "{0} >> {1}", 38),
    "bit_not": Operation(np.invert, "number", "~{0}", 70),
    "bit": Operation(bit, "bool", "bit({0}, {1})"),
    "lt": Operation(less, "bool", "{0} < {1}", 40),
    "le": Operation(less_equal, "bool", "{0} ≤ {1}", 40),
    "gt": Operation(greater, "bool", "{0} > {1}", 40),
    "ge": Operation(greater_equal, "bool", "{0} ≥ {1}", 40),
    "eq": Operation(equal, "bool", "{0} = {1}", 40),
    "ne": Operation(not_equal, "bool", "{0} ≠ {1}", 40),
    "between_left": Operation(between(less_equal, less), "bool", "{1} ≤ {0} < {2}", 40),
    "between_right": Operation(between(less, less_equal), "bool", "{1} < {0} ≤ {2}", 40),
    "between_both": Operation(between(less_equal, less_equal), "bool", "{1} ≤ {0} ≤ {2}", 40),
    "between_none": Operation(between(less, less), "bool", "{1} < {0} < {2}", 40),
    "add": Operation(alike(np.add), "number", "{0} + {1}", 50),
    "subtract": Operation(subtract, "number", "{0} − {1}", 51),
    "multiply": Operation(alike(np.multiply), "number", "{0} · {1}", 60),
    "divide": Operation(divide, "float", "{0} / {1}", 61),
    "floor_divide": Operation(floor_divide, "number", "⌊{0} / {1}⌋"),
    "remainder": Operation(remainder, "number", "{0} mod {1}", 60),
    "negative": Operation(negative, "number", "−{0}", 70),
    "power": Operation(power, "float", "{0}^{1}", 80),
    "absolute": Operation(np.absolute, "number", "|{0}|"),
    "minimum": Operation(minimum, "number", "min({0}, {1})"),
    "maximum": Operation(maximum, "number", "max({0}, {1})"),
    "where": Operation(where, "number", "({1} if {0} else {2})"),
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
    "angle": _function(angle, "angle", 6),
    "mass": _function(invariant_mass, "m", 0),
    "mass_of_components": _function(mass_of_components, "m", 4),
    "transverse_mass": _function(transverse_mass, "mT", 4),
    "cos2d": _function(cos2d, "cos2D", 6),
    "cos3d": _function(cos3d, "cos3D", 9),
}
LOGICAL = frozenset(LOGIC.values())
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
    return equal(_number(a), _number(b))


def is_one_of(x: Array, values: Sequence[bool | int | float | np.uint64]) -> Array:
    """Return where numbers are equal to one of several.

    >>> is_one_of(np.array([1, 2**63 + 1], np.uint64), [2.0**63, 2**63 + 1])
    array([False,  True])
    """
    numbers = _number(x)
    kept = [numbers.dtype.type(int(v) if is_whole(numbers) else v)
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


def kind_of_result(operation: str, kinds: Sequence[str]) -> str:
    """Return the kind of the result from those of the arguments, empty where it is not known."""
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
