"""Keys of several numbers as one: to find equal ones fast, which are then compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flavorframe._rootio.arrays import Array


def hashed(columns: Sequence[Array]) -> Array:
    """Return a number for each row, in which the values of all columns are mixed.

    Equal numbers give the same, of whichever types: 1, 1.0 and an unsigned 1. The mixing is that of
    splitmix64 (Steele, Lea, Flood, OOPSLA 2014): of 10⁸ rows, two have the same number by chance
    once in 4000 times.

    >>> a, b = hashed([np.array([1, 2])]), hashed([np.array([1.0, 2.0], np.float32)])
    >>> (a == b).all() and a[0] != a[1]
    np.True_
    """
    mixed = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        mixed = (mixed + np.uint64(0x9E3779B97F4A7C15)) ^ _bits(column)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed


def _bits(column: Array) -> Array:
    """Return 64 bits for each value: those of the integer, where it is one."""
    if column.dtype.kind != "f":
        return column.astype(np.int64 if column.dtype.kind == "i" else np.uint64).view(np.uint64)
    wide = column.astype(np.float64)
    whole = (wide == np.floor(wide)) & (np.abs(wide) < 2.0**63)
    bits = np.where(whole, np.where(whole, wide, 0).astype(np.int64), wide.view(np.int64))
    return bits.view(np.uint64)
