"""Pairs and triples of elements, from which candidates are built."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._expr.collection import Collection
from flavorframe._expr.nesting import refuse_nested_axis
from flavorframe._expr.objects import element
from flavorframe.errors import ExpressionError


def pairs(first: Collection, second: Collection | None = None) -> Collection:
    """Return the pairs of elements in each event, to build candidates from.

    Args:
        first: The collection of the first members.
        second: That of the second members. Without it, or where it is the same, each pair comes
            once, in the order of the file; else each element is paired with each.

    Returns:
        A collection, whose ``members`` are the two objects.

    Raises:
        ExpressionError: One of them is not a collection.

    Example:
        >>> import flavorframe as ff
        >>> mu1, mu2 = ff.pairs(ff.events().muon).members
        >>> ff.mass(mu1, mu2, masses=ff.MUON_MASS)
        <m(muon₁, muon₂), one value per pairs(muon)>
    """
    return _combined(first, first if second is None else second)


def triples(
    first: Collection, second: Collection | None = None, third: Collection | None = None
) -> Collection:
    """Return the triples of elements in each event.

    Equal collections combine without order or repetition: ``triples(jet)`` gives each set of
    three jets once, ``triples(muon, muon, track)`` each pair of muons with each track.

    Args:
        first: The collection of the first members, or of all three.
        second: That of the second members.
        third: That of the third members.

    Returns:
        A collection, whose ``members`` are the three objects.

    Raises:
        ExpressionError: Two collections are given, or something that is none.

    Example:
        >>> import flavorframe as ff
        >>> events = ff.events()
        >>> ff.triples(events.muon, events.muon, events.track).members[2].pt
        <track₃.pt, one value per triples(muon, muon, track)>
    """
    if (second is None) != (third is None):
        raise ExpressionError("ff.triples() takes one collection or three, not two.")
    if second is None or third is None:
        return _combined(first, first, first)
    return _combined(first, second, third)


def _combined(*collections: Collection) -> Collection:
    for collection in collections:
        if not isinstance(collection, Collection):
            raise ExpressionError(f"{collection!r} is not a collection such as events.muon.")
        refuse_nested_axis(collection.axis, "ff.pairs() and ff.triples()")
    return Collection(element(n.Combination(tuple(c.axis for c in collections))))
