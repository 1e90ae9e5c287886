"""Follow mothers, of all particles of a partition at once."""

from __future__ import annotations

import numpy as np

from flavorframe._rootio.arrays import Array


def first_copies(mother: Array, is_copy: Array) -> tuple[Array, Array]:
    """Return the position of the first copy of each particle, and where there is one.

    Args:
        mother: The position of each particle's mother, any where it has none.
        is_copy: Whether a particle has a mother of which it is a copy.

    >>> first_copies(np.array([0, 0, 1, 4, 3]), np.array([False, True, True, True, True]))
    (array([0, 0, 0, 3, 4]), array([ True,  True,  True, False, False]))
    """
    up = np.where(is_copy, mother, np.arange(len(mother)))
    found = up
    for _ in range(len(mother).bit_length()):  # each round doubles the steps that were taken
        higher = found[found]
        if np.array_equal(higher, found):
            break
        found = higher
    return found, up[found] == found


def is_ancestor(above: Array, below: Array, mother: Array, has_mother: Array, most: int) -> Array:
    """Return whether mothers lead from some positions to others.

    Args:
        above: The positions of what may be ancestors.
        below: As many positions that are climbed from.
        mother: The position of each particle's mother, any where it has none.
        has_mother: Whether each particle has one.
        most: How many steps there are at most, in the largest event.

    >>> up, has = np.array([0, 0, 1]), np.array([False, True, True])
    >>> is_ancestor(np.array([0, 1, 2]), np.array([2, 2, 2]), up, has, 3)
    array([ True,  True, False])
    """
    found = np.zeros(len(below), bool)
    rows, at = np.arange(len(below)), below
    for _ in range(most):
        climbing = has_mother[at]
        rows, at = rows[climbing], mother[at[climbing]]
        there = at == above[rows]
        found[rows[there]] = True
        rows, at = rows[~there], at[~there]
    return found


def count_pointing(position: Array, counted: Array, size: int) -> Array:
    """Return how many of some positions, those that are counted, are each of so many."""
    return np.bincount(position[counted], minlength=size).astype(np.int64)
