"""Axes and nodes. An expression has one value for each element of its axis.

The classes of nodes are in `leaves`, `elements` and `computations`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flavorframe._expr.formula import brief, formula
from flavorframe._expr.parts import Part, Texts
from flavorframe._expr.texts import Text, joined, put
from flavorframe.errors import ExpressionError


@dataclass(frozen=True, eq=False, repr=False)
class Axis(Part):
    """Events, a collection, or what is made of collections: there is one value per element."""

    is_spelled_out = True

    @property
    def name(self) -> str:
        """How messages call the axis."""
        return formula(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {brief(self)}>"


@dataclass(frozen=True, eq=False, repr=False)
class EventAxis(Axis):
    """One value an event."""

    def text(self, texts: Texts) -> Text:
        return "event"


@dataclass(frozen=True, eq=False, repr=False)
class UnresolvedAxis(Axis):
    """The axis of a raw branch, which is known only once the file is open."""

    def text(self, texts: Texts) -> Text:
        return "element of the branch"


@dataclass(frozen=True, eq=False, repr=False)
class CollectionAxis(Axis):
    """One value for each element of a stored collection."""

    collection: str

    def text(self, texts: Texts) -> Text:
        return self.collection


@dataclass(frozen=True, eq=False, repr=False)
class Node(Part):
    """One step of a computation, with one value for each element of its ``axis``."""

    @property
    def axis(self) -> Axis:
        """The axis of the values."""
        raise NotImplementedError

    def settle(self) -> None:
        super().settle()
        _ = self.axis  # known from here on; raises ExpressionError where axes do not join

    def children(self) -> tuple[Node, ...]:
        """Return the nodes that this one is computed from, masks of its axis included."""
        known: tuple[Node, ...] | None = self.__dict__.get("_children")
        if known is None:  # plans are walked often, and again whenever a cut is changed
            known = tuple(_nodes_in(self.inside))
            object.__setattr__(self, "_children", known)
        return known

    def find_kind(self) -> str:
        """Return the kind of the values, empty where it is not known; see `kinds.kind_of`."""
        return ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {brief(self)}>"


@dataclass(frozen=True, eq=False, repr=False)
class Taken(Axis):
    """Elements of ``parent``: some of them, or all in another order."""

    parent: Axis


@dataclass(frozen=True, eq=False, repr=False)
class Subset(Taken):
    """The elements of ``parent`` on which ``mask`` holds."""

    mask: Node

    def text(self, texts: Texts) -> Text:
        return put(texts[self.parent], "[", texts[self.mask], "]")


@dataclass(frozen=True, eq=False, repr=False)
class First(Subset):
    """The first ``number`` elements of ``parent``, as the mask says as well."""

    number: int

    def text(self, texts: Texts) -> Text:
        return put(texts[self.parent], f".first({self.number})")


@dataclass(frozen=True, eq=False, repr=False)
class Sorted(Taken):
    """The elements of ``parent`` by a value: equal ones as they were, those without one last."""

    by: Node
    descending: bool

    def text(self, texts: Texts) -> Text:
        return put(texts[self.parent], ".sorted(", self.order(texts), ")")

    def order(self, texts: Texts) -> Text:
        """Return how the order is written."""
        return put(texts[self.by], ", descending" if self.descending else "")


@dataclass(frozen=True, eq=False, repr=False)
class Combination(Axis):
    """Pairs or triples of elements; equal parents combine without order or repetition."""

    parents: tuple[Axis, ...]

    def text(self, texts: Texts) -> Text:
        word = {2: "pairs", 3: "triples"}[len(self.parents)]
        unique = tuple(dict.fromkeys(self.parents))
        names = [texts[parent] for parent in (unique if len(unique) == 1 else self.parents)]
        return put(f"{word}(", joined(", ", names), ")")


@dataclass(frozen=True, eq=False, repr=False)
class NestedAxis(Axis):
    """A list for each element of the axis ``outer``; reductions give one value for each list."""

    outer: Axis


@dataclass(frozen=True, eq=False, repr=False)
class Per(NestedAxis):
    """For each element of ``outer``, all elements of ``inner`` that its event has."""

    inner: Axis

    def text(self, texts: Texts) -> Text:
        return put(texts[self.inner], ".per(", texts[self.outer], ")")


@dataclass(frozen=True, eq=False, repr=False)
class StoredLists(NestedAxis):
    """For each element of a stored collection, a list that the file has for it."""

    name_in_outer: str

    def text(self, texts: Texts) -> Text:
        return put(texts[self.outer], f".{self.name_in_outer}")


@dataclass(frozen=True, eq=False, repr=False)
class Concatenation(Axis):
    """All elements of the first parent, then all of the second, and so on."""

    parents: tuple[Axis, ...]

    def text(self, texts: Texts) -> Text:
        return put("concatenate(", joined(", ", [texts[p] for p in self.parents]), ")")


EVENT = EventAxis()
UNRESOLVED = UnresolvedAxis()


def join_axes(nodes: tuple[Node, ...]) -> Axis:
    """Return the axis on which several nodes are combined.

    Values per event are repeated for each element, as are those of an element in its list on a
    nested axis, and a raw branch is taken to be on the axis of the others. Raises ExpressionError
    for two different collections.
    """
    joint: Axis = EVENT
    for node in nodes:
        joint = _join(joint, node.axis, nodes)
    return joint


def _join(first: Axis, second: Axis, nodes: tuple[Node, ...]) -> Axis:
    if first == second or second == EVENT:
        return first
    if first in (EVENT, UNRESOLVED) or first == outer_axis(second):
        return second
    if second == UNRESOLVED or second == outer_axis(first):
        return first
    raise ExpressionError(_two_collections(first, second, nodes))


def _two_collections(first: Axis, second: Axis, nodes: tuple[Node, ...]) -> str:
    named = {node.axis: brief(node) for node in nodes}
    told = (
        f"{named.get(first, brief(first))} has one value per {brief(first)} and "
        f"{named.get(second, brief(second))} one per {brief(second)}: two collections do not "
        "combine. "
    )
    outer = outer_axis(first), outer_axis(second)
    if outer == (EVENT, EVENT):
        return (
            f"{told}Link an element with .at(index) or .match(field=...), reduce one side to the "
            "event with any(), sum(), min() ..., or build ff.pairs(...)."
        )
    names = " and ".join(dict.fromkeys(brief(axis) for axis in outer if axis != EVENT))
    return f"{told}Reduce what is nested to one value per {names}, with any(), sum(), min() ...."


def lineage(axis: Axis) -> list[Axis]:
    """Return the axis and those that its elements are taken from, the outermost first."""
    found = [axis]
    while isinstance(found[-1], Taken):
        found.append(found[-1].parent)
    return found[::-1]


def outer_axis(axis: Axis) -> Axis:
    """Return what reductions over an axis give one value for each of: the event, or an element."""
    first = lineage(axis)[0]
    return first.outer if isinstance(first, NestedAxis) else EVENT


def is_nested(axis: Axis) -> bool:
    """Return whether each element of another axis has a list of its own of these elements."""
    return outer_axis(axis) != EVENT


def made_from(axis: Axis) -> Iterator[Axis]:
    """Yield the axis, and those that its elements are taken from or made of."""
    waiting = [axis]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(part for part in current.inside if isinstance(part, Axis))


def _nodes_in(inside: tuple[Part, ...]) -> Iterator[Node]:
    """Yield the nodes of some parts, and the masks in the axes among them."""
    waiting = list(reversed(inside))
    while waiting:
        part = waiting.pop()
        if isinstance(part, Node):
            yield part
        else:
            waiting.extend(reversed(part.inside))
