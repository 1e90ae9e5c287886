"""Indices of the elements of lists that lie one after the other in an array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flavorframe._rootio import compiled


def spread(counts: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of the list that each element of lists of these lengths is in.

    >>> spread(np.array([2, 0, 3]))
    array([0, 0, 2, 2, 2])
    """
    if compiled.native is None:
        return np.repeat(np.arange(len(counts)), counts)
    numbers = np.empty(int(counts.sum()), np.int64)
    compiled.native.spread(as_int64(counts), numbers)
    return numbers


def ranges(starts: NDArray[Any], counts: NDArray[Any]) -> NDArray[np.int64]:
    """Return the indices starts[i], starts[i]+1, … of all ranges, one after the other.

    >>> ranges(np.array([5, 0]), np.array([2, 3]))
    array([5, 6, 0, 1, 2])
    """
    if compiled.native is None:
        own = spread(counts)
        return np.arange(len(own)) + (starts - (np.cumsum(counts) - counts))[own]
    indices = np.empty(int(counts.sum()), np.int64)
    compiled.native.ranges(as_int64(starts), as_int64(counts), indices)
    return indices


def as_int64(numbers: NDArray[Any]) -> NDArray[np.int64]:
    """Return whole numbers as the compiled part takes them."""
    return np.ascontiguousarray(numbers, np.int64)
