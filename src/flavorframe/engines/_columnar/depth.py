"""Deep trees are evaluated from the inside out, for Python's stack holds a few hundred nodes only.

A view that evaluates a node asks for what the node is made of, which asks in turn. `settle` finds
what will be asked for further below and has it ready, part by part, so that each question goes down
a few steps only. Most trees are shallow, and never come here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flavorframe._expr import nodes as n

if TYPE_CHECKING:
    from flavorframe.engines._columnar.view import View

SHALLOW = 16
"""Parts up to this height are evaluated by recursion."""

Question = tuple["View", n.Part]
"""The values of a node, or the elements of an axis, in a view."""


def settle(view: View, top: n.Part) -> None:
    """Have ready what a node's values or an axis's elements are made of, as far as it is deep."""
    waiting = [(view, top)]
    while waiting:
        where, part = waiting[-1]
        missing = [] if where.has(part) else [q for q in _asked(where, part) if not q[0].has(q[1])]
        if missing:  # the deepest first, so that little else is held meanwhile
            waiting += sorted(missing, key=lambda question: question[1].height)
            continue
        waiting.pop()
        if waiting and not where.has(part):
            where.make_ready(part)


def _asked(view: View, part: n.Part) -> Iterator[Question]:
    """Yield the deep questions that a view has before it can answer one."""
    for where, inner in _inside(view, part):
        if inner.height > SHALLOW:
            yield where.responsible(inner), inner


def _inside(view: View, part: n.Part) -> Iterator[Question]:
    """Yield what a part is made of, and where it is looked at: links and masks see everything."""
    whole = view.whole
    if isinstance(part, n.Axis):
        yield from _inside_axis(view, whole, part)
    elif isinstance(part, n.Match):
        yield from ((whole, key) for key in part.keys)
        yield from ((view, value) for value in part.values)
        yield from ((whole, part.target), (view, part.axis))
    elif isinstance(part, n.Gather | n.Found):
        yield from ((view, part.index), (view, part.axis), (whole, part.target))
        yield from ((whole, part.operand),) if isinstance(part, n.Gather) else ()
    elif isinstance(part, n.Reduce):
        yield from ((view, part.operand), (view, part.operand.axis))
    else:
        yield from ((view, inner) for inner in part.inside)


def _inside_axis(view: View, whole: View, axis: n.Axis) -> Iterator[Question]:
    if whole is not view:
        yield whole, axis
        if axis == view.facts.candidates:
            return
    if isinstance(axis, n.Subset):
        yield from ((view, axis.parent), (whole, axis.mask))
    else:
        yield from ((view, inner) for inner in axis.inside)
