"""Sums of floating-point numbers without rounding: the same bits in any order and grouping.

A number is cut into pieces of 30 bits, whose places do not depend on the number: value = Σ piece ×
2^(30 level). Pieces are integers, and integers add up exactly; only the total is rounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BITS = 30
AT_ONCE = 1 << 22
"""So many pieces of 30 bits add up exactly in double precision, which holds 53 bits."""


class ExactFloat(float):
    """A float that remembers the sum that it was rounded from.

    >>> exact_sum(np.array([1e16, 1.0, 1.0])) + exact_sum(np.array([-1e16]))
    2.0
    """

    exact: Fraction

    def __new__(cls, exact: Fraction) -> ExactFloat:
        """Raises ValueError for what is no finite number."""
        try:
            number = super().__new__(cls, exact)
        except OverflowError:
            number = super().__new__(cls, math.inf if exact > 0 else -math.inf)
        number.exact = exact
        return number

    def __add__(self, other: float) -> float:
        if not isinstance(other, ExactFloat) and not math.isfinite(other):
            return float(self) + other
        return ExactFloat(self.exact + getattr(other, "exact", Fraction(other)))

    __radd__ = __add__

    def __reduce__(self) -> tuple[type[ExactFloat], tuple[Fraction]]:
        return ExactFloat, (self.exact,)


def exact_sum(values: Array) -> float:
    """Return the sum of an array of shape (n,), to which others can be added exactly.

    Where a value is infinite or NaN, the sum is what floating-point numbers make of it.
    """
    total = Fraction(0)
    for start in range(0, len(values), AT_ONCE):
        some = values[start : start + AT_ONCE]
        if not np.isfinite(some).all():
            return float(values.sum())
        for level, pieces in _pieces(some):
            total += int(pieces.sum()) * Fraction(2) ** (BITS * level)
    return ExactFloat(total)


class ExactSums:
    """Sums of numbers by bin, of shape (bins,)."""

    def __init__(self, bins: int) -> None:
        self._bins = bins
        self._levels: dict[int, Array] = {}
        self._unusual: Array | None = None  # sums of what is infinite or NaN

    def add(self, index: Array, values: Array) -> None:
        """Add each value to the bin of its index; both are of shape (n,)."""
        finite = np.isfinite(values)
        if not finite.all():
            odd = np.bincount(index[~finite], values[~finite], self._bins)
            self._unusual = odd if self._unusual is None else self._unusual + odd
            index, values = index[finite], values[finite]
        for start in range(0, len(values), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            for level, pieces in _pieces(values[part]):
                self._raise(level, np.bincount(index[part], pieces, self._bins).astype(np.int64))
        self._carry()

    def __add__(self, other: ExactSums) -> ExactSums:
        added = ExactSums(self._bins)
        for sums in (self, other):
            for level, pieces in sums._levels.items():
                added._raise(level, pieces)
        odd = [sums._unusual for sums in (self, other) if sums._unusual is not None]
        added._unusual = sum(odd[1:], odd[0]) if odd else None
        added._carry()
        return added

    def rounded(self) -> Array:
        """Return the sums, each rounded once."""
        result = np.zeros(self._bins)
        filled = np.zeros(self._bins, bool)
        for pieces in self._levels.values():
            filled |= pieces != 0
        for i in np.flatnonzero(filled):
            pieces_of = {level: int(pieces[i]) for level, pieces in self._levels.items()}
            result[i] = _rounded(pieces_of)
        if self._unusual is not None:
            odd = self._unusual != 0
            result[odd] = self._unusual[odd]
        return result

    def _raise(self, level: int, pieces: Array) -> None:
        known = self._levels.get(level)
        self._levels[level] = pieces if known is None else known + pieces

    def _carry(self) -> None:
        """Move what is more than a piece to the next level, so that no integer overflows."""
        for level in range(min(self._levels, default=0), max(self._levels, default=-1) + 3):
            pieces = self._levels.get(level)
            if pieces is None:
                continue
            carried = (pieces + (1 << (BITS - 1))) >> BITS
            if carried.any():
                self._levels[level] = pieces - (carried << BITS)
                self._raise(level + 1, carried)


def _pieces(values: Array) -> Iterator[tuple[int, Array]]:
    """Yield level and pieces of finite values, from the highest bits to the lowest."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return
    level = (math.frexp(largest)[1] - 1) // BITS
    rest = np.ldexp(values, -BITS * level)
    while rest.any():
        pieces = np.trunc(rest)
        yield level, pieces
        rest = (rest - pieces) * (1 << BITS)
        level -= 1


def _rounded(pieces: Mapping[int, int]) -> float:
    total = sum(piece * Fraction(2) ** (BITS * level) for level, piece in pieces.items())
    return float(ExactFloat(Fraction(total)))
