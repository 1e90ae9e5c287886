"""Arithmetic over numpy arrays as the language means it: exact for whole numbers of 64 bits.

numpy makes decimal numbers of a signed beside an unsigned whole number, and of whole numbers that
are compared with decimal ones. Here whole numbers stay whole, and comparisons are of the numbers
as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

LAST_EXACT = 2**53
"""Each whole number of up to this size is a double."""


def exact(compare: Callable[..., Array]) -> Callable[..., Array]:
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


less, less_equal = exact(np.less), exact(np.less_equal)
greater, greater_equal = exact(np.greater), exact(np.greater_equal)
equal = exact(np.equal)


def not_equal(a: Array, b: Array) -> Array:
    return less(a, b) | greater(a, b)  # unlike IEEE's !=, false where either is NaN


def between(lower: Callable[..., Array], upper: Callable[..., Array]) -> Callable[..., Array]:
    def compute(x: Array, low: Array, high: Array) -> Array:
        inside: Array = lower(low, x) & upper(x, high)
        return inside

    return compute


def is_whole(*arrays: Array) -> bool:
    return all(array.dtype.kind in "iu" for array in arrays)


def _differ(a: Array, b: Array) -> bool:
    """Return whether one is signed and the other is not, of which numpy would make doubles."""
    return is_whole(a, b) and a.dtype != b.dtype


def alike(compute: Callable[..., Array]) -> Callable[..., Array]:
    """Return the operation on numbers of one type: an unsigned beside a signed counts as signed."""

    def computed(a: Array, b: Array) -> Array:
        if _differ(a, b):
            return compute(a.astype(np.int64), b.astype(np.int64))
        return compute(a, b)

    return computed


def _signed(values: Array) -> Array:
    return values.astype(np.int64, copy=False) if is_whole(values) else values


def subtract(a: Array, b: Array) -> Array:
    return np.subtract(_signed(a), _signed(b)) if is_whole(a, b) else np.subtract(a, b)


def negative(a: Array) -> Array:
    return np.negative(_signed(a))


def floor_divide(a: Array, b: Array) -> Array:
    return _divided(a, b)[0] if _differ(a, b) else np.floor_divide(a, b)


def remainder(a: Array, b: Array) -> Array:
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


def minimum(a: Array, b: Array) -> Array:
    if _differ(a, b):  # the smaller one fits into the signed type
        return np.where(a < b, _signed(a), _signed(b))
    return np.minimum(a, b)


def maximum(a: Array, b: Array) -> Array:
    if _differ(a, b):  # the larger one is not negative
        return np.where(a > b, a.astype(np.uint64), b.astype(np.uint64))
    return np.maximum(a, b)


def bitwise(compute: Callable[..., Array]) -> Callable[..., Array]:
    def computed(a: Array, b: Array) -> Array:
        if _differ(a, b):
            return compute(a.astype(np.uint64), b.astype(np.uint64))
        return compute(a, b)

    return computed


def shift(compute: Callable[..., Array]) -> Callable[..., Array]:
    def computed(x: Array, by: Array) -> Array:
        return compute(x, by.astype(x.dtype))  # numpy shifts everything out by 64 or by less than 0

    return computed


def bit(x: Array, number: Array) -> Array:
    set_: Array = (shift(np.right_shift)(x, number) & x.dtype.type(1)) != 0
    return set_


def divide(a: Array, b: Array) -> Array:
    return np.true_divide(np.asarray(a, np.float64), b)


def power(a: Array, b: Array) -> Array:
    return np.power(np.asarray(a, np.float64), b)


def where(condition: Array, a: Array, b: Array) -> Array:
    if _differ(a, b):
        a, b = _signed(a), _signed(b)
    return np.where(condition, a, b)
