"""Collections put together: all elements of one, then all of the next."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._expr.collection import Collection
from flavorframe._expr.formula import brief
from flavorframe._expr.objects import element
from flavorframe.errors import ExpressionError


def concatenate(*collections: Collection) -> Collection:
    """Return the elements of several collections as one: all of the first, then all of the next.

    Its fields are those that all of them have, and ``source``: 0 for an element of the first
    collection, 1 for one of the second. `Expr.is_from` says the same in words.

    Args:
        collections: Two or more collections, such as ``events.muon`` and ``events.electron``.

    Returns:
        A collection of its own, for masks, reductions, orders, pairs, links by index, selections.

    Raises:
        ExpressionError: There are fewer than two, one of them twice, or something that is none.

    Example:
        >>> import flavorframe as ff
        >>> events = ff.events()
        >>> leptons = ff.concatenate(events.muon, events.electron)
        >>> leptons.sorted(leptons.pt, descending=True).at(0).pt
        <concatenate(muon, electron).sorted(concatenate(muon, electron).pt, descending).at(0).pt, \
one value per event>
    """
    for collection in collections:
        if not isinstance(collection, Collection):
            raise ExpressionError(f"{collection!r} is not a collection such as events.muon.")
        _refuse_nested(collection.axis)
    axes = tuple(collection.axis for collection in collections)
    if len(axes) < 2:
        raise ExpressionError("ff.concatenate() takes two or more collections.")
    twice = next((axis for axis in axes if axes.count(axis) > 1), None)
    if twice is not None:
        raise ExpressionError(
            f"ff.concatenate() would have each {brief(twice)} twice: name each collection once."
        )
    return Collection(element(n.Concatenation(axes)))


def _refuse_nested(axis: n.Axis) -> None:
    if n.is_nested(axis):
        outer = brief(n.outer_axis(axis))
        raise ExpressionError(
            f"ff.concatenate(): {brief(axis)} is a list for each {outer}: put the collections "
            f"themselves together, and take .per({outer}) of that."
        )
