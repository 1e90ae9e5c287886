"""Look into nested lists in blocks of events: what they hold stays small, and in fast memory.

Each element of the outer axis has all of an event's inner elements, so there may be a hundred times
more of them than of anything that was read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array, Strings
from flavorframe.engines._columnar.links import LinkCounts
from flavorframe.engines._columnar.values import Values

if TYPE_CHECKING:
    from flavorframe.engines._columnar.view import View

BLOCK = 2**17
"""How many elements a block has, unless a single event has more."""


def in_blocks(node: n.Node, axis: n.Axis, view: View) -> Values | None:
    """Return the values of a node that looks into the lists of an axis, one block after the other.

    None where these are no nested lists, or so few that they are one block.
    """
    nested = n.lineage(axis)[0]
    if not isinstance(nested, n.Per):
        return None
    numbers = view.elements(nested.outer).counts * view.elements(nested.inner).counts
    ends = _ends(numbers)
    if len(ends) < 3:
        return None
    inside = list(n.walk(node))
    for part in inside:
        if isinstance(part, n.Column):
            view.columns.have(part.branch, view.events)  # read for all blocks at once
    links = None if view.links is None else LinkCounts()
    found = []
    for begin, end in pairwise(ends):
        counts = None if links is None else LinkCounts()
        block = view.part(begin, end, counts)
        _remember(block, view, inside, begin, end)
        if view.whole is not view:
            _remember(block.whole, view.whole, inside, begin, end)
        found.append(block.evaluate(node))
        if links is not None and counts is not None:
            links.add(counts)
    if links is not None and view.links is not None:
        view.links.adopt(links)
    return _joined(found)


def _remember(block: View, view: View, nodes: list[n.Node], begin: int, end: int) -> None:
    """Have a block remember what the view does of nodes, at its events."""
    for node in nodes:
        values = view.remembered.get(node)
        if values is not None and not n.is_nested(node.axis):
            ends = np.array([begin, end])
            if node.axis != n.EVENT:
                ends = np.searchsorted(view.event_of(node.axis), ends)
            block.remembered[node] = values[np.arange(*ends)]


def _ends(numbers: Array) -> list[int]:
    """Return where blocks of events begin, and at last where the last one ends.

    >>> _ends(np.array([100_000, 20_000, 100_000, 1_000_000, 5]))
    [0, 2, 3, 4, 5]
    """
    before = np.concatenate(([0], np.cumsum(numbers)))
    ends = [0]
    while ends[-1] < len(numbers):
        fitting = int(np.searchsorted(before, before[ends[-1]] + BLOCK, "right")) - 1
        ends.append(max(fitting, ends[-1] + 1))
    return ends


def _joined(blocks: list[Values]) -> Values:
    valid = None
    if any(block.valid is not None for block in blocks):
        valid = np.concatenate(
            [np.ones(len(b.data), bool) if b.valid is None else b.valid for b in blocks]
        )
    return Values(_joined_data(blocks), valid)


def _joined_data(blocks: list[Values]) -> Array | Strings:
    strings = [block.data for block in blocks if isinstance(block.data, Strings)]
    if not strings:
        return np.concatenate([block.array for block in blocks])
    codes = np.concatenate([each.codes for each in strings])
    return Strings(codes, strings[0].categories)  # which are those of one column
