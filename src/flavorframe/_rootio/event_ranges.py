"""Split ranges of events at the edges of baskets or clusters."""

from __future__ import annotations

import numpy as np

from flavorframe._rootio.arrays import Array


def split_at_edges(edges: Array, start: int, stop: int) -> list[tuple[int, int, int | None]]:
    """Return the parts of a range of events: whole baskets or clusters, and parts of one.

    Each part is where it begins and ends, and the number of the basket that it lies in; None if it
    consists of whole ones. ``edges`` are the events at which baskets begin, and the end.

    >>> split_at_edges(np.array([0, 10, 20, 30]), 5, 25)
    [(5, 10, 0), (10, 20, None), (20, 25, 2)]
    >>> split_at_edges(np.array([0, 10, 20, 30]), 12, 15)
    [(12, 15, 1)]
    """
    if start == stop or not len(edges):
        return [(start, stop, None)]
    first = int(np.searchsorted(edges, start, "right")) - 1
    last = int(np.searchsorted(edges, stop, "left")) - 1
    a = int(edges[first] if edges[first] == start else edges[first + 1])
    b = int(edges[last + 1] if edges[last + 1] == stop else edges[last])
    if a > b:
        return [(start, stop, first)]
    parts = [(start, a, first), (a, b, None), (b, stop, last)]
    return [part for part in parts if part[0] < part[1]]
