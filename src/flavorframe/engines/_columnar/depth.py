"""Evaluate deep trees from the inside out, as Python's stack holds only a few hundred nodes.

A view that evaluates a node asks for the node's parts, which ask for theirs. `compute_deep_parts`
finds the parts that lie deep inside and computes them first, so that no recursion goes down more
than a few steps. Most trees are shallow, and need none of this.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flavorframe._expr import nodes as n

if TYPE_CHECKING:
    from flavorframe.engines._columnar.view import View

MAX_RECURSION = 16
"""Parts of at most this height are evaluated by recursion."""

Needed = tuple["View", n.Part]
"""A node or an axis, and the view in which its values or elements are needed."""


def compute_deep_parts(view: View, top: n.Part) -> None:
    """Compute the deep parts of which a node's values or an axis's elements are made."""
    waiting = [(view, top)]
    while waiting:
        where, part = waiting[-1]
        missing = [] if where.has(part) else [q for q in _needed(where, part) if not q[0].has(q[1])]
        if missing:  # the deepest first, so that little else is held meanwhile
            waiting += sorted(missing, key=lambda need: need[1].height)
            continue
        waiting.pop()
        if waiting and not where.has(part):
            where.compute_ahead(part)


def _needed(view: View, part: n.Part) -> Iterator[Needed]:
    """Yield the deep parts that a view needs before it can compute one."""
    for where, inner in _inside(view, part):
        if inner.height > MAX_RECURSION:
            yield where.view_of(inner), inner


def _inside(view: View, part: n.Part) -> Iterator[Needed]:
    """Yield what a part is made of, and the view: links and masks look at the full one."""
    whole = view.whole
    if isinstance(part, n.Axis):
        yield from _inside_axis(view, whole, part)
    elif isinstance(part, n.Match):
        where = view.view_of_lists(part.target)
        yield from ((where, key) for key in part.keys)
        yield from ((view, value) for value in part.values)
        yield from ((where, part.target), (view, part.axis))
    elif isinstance(part, n.Gather | n.Found):
        where = view.view_of_lists(part.target)
        yield from ((view, part.index), (view, part.axis), (where, part.target))
        yield from ((where, part.operand),) if isinstance(part, n.Gather) else ()
    elif isinstance(part, n.FirstCopy | n.Pointing):
        yield from ((whole, inner) for inner in (*part.inside, part.axis))
        yield view, part.axis
    elif isinstance(part, n.IsAncestor):
        yield from ((view, part.above), (view, part.below), (view, part.axis))
        yield from ((whole, part.mother), (whole, part.mother.axis))
    elif isinstance(part, n.Rank | n.FromEnd):
        where = view.view_of_lists(part.order if isinstance(part, n.Rank) else part.of)
        yield from ((where, inner) for inner in part.inside)
        yield view, part.axis
    elif isinstance(part, n.Take):
        yield from ((view, inner) for inner in _inside_taken(part, view))
    elif isinstance(part, n.Reduce):
        yield from ((view, part.operand), (view, part.operand.axis))
    else:
        yield from ((view, inner) for inner in part.inside)


def _inside_taken(part: n.Take, view: View) -> Iterator[n.Part]:
    """Yield what values at some elements are made of: not of those at all pairs first."""
    inner = part.operand
    yield part.subset
    if isinstance(inner, n.Inner) and inner not in view.facts.shared:
        yield from inner.inside
        yield inner.nested.inner
    else:
        yield inner


def _inside_axis(view: View, whole: View, axis: n.Axis) -> Iterator[Needed]:
    if whole is view or view.facts.has_whole_lists(axis):  # where masks and orders are made
        yield from ((view, inner) for inner in axis.inside)
        return
    yield whole, axis
    if axis != view.facts.candidates:
        yield from ((view, inner) for inner in axis.inside if isinstance(inner, n.Axis))
