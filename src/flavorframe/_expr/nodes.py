"""What an expression is made of: immutable, hashable nodes on an axis.

A node says *what* is computed, never how. Engines walk nodes; users meet them as ``Expr``.
A **friendly** tree holds `Field`, `Branch` and `Fired` leaves, which only a layout can resolve; a
**bound** tree holds `Column` leaves instead and is what engines evaluate.

Trees may be thousands of nodes deep: a list of runs joined by ``|`` is. Whatever is to be known of
a tree is found part by part, in the order of `parts` or `walk`, and never by recursion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from flavorframe.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flavorframe._expr.external import Correction, Function

Value = bool | int | float | str | np.uint64


class _Unique(type):
    """Has one object stand for all that are equal, so that none is ever compared in depth."""

    def __call__(cls, *values: Any, **named: Any) -> Any:
        made = super().__call__(*values, **named)
        key = (cls, *made.key())
        known = _UNIQUE.get(key)
        if known is None:
            made.settle()
            with _MAKING:
                known = _UNIQUE.setdefault(key, made)
        return known


_UNIQUE: WeakValueDictionary[tuple[Any, ...], Part] = WeakValueDictionary()
_MAKING = RLock()


class Part(metaclass=_Unique):
    """What trees are made of: a node or an axis. Equal parts are one object.

    ``inside`` are the parts that it is directly made of, ``height`` is how deep they go.
    """

    inside: tuple[Part, ...]
    height: int

    def key(self) -> tuple[Any, ...]:
        """Return what equal parts of a kind have in common."""
        return self.content()

    def content(self) -> tuple[Any, ...]:
        """Return the values of all fields."""
        names: Mapping[str, Any] = self.__dataclass_fields__  # type: ignore[attr-defined]
        return tuple([getattr(self, name) for name in names])

    def settle(self) -> None:
        """Find out what follows from the parts inside, which know it of themselves."""
        inside = tuple(part for value in self.content() for part in _parts_in(value))
        object.__setattr__(self, "inside", inside)
        object.__setattr__(self, "height", 1 + max((part.height for part in inside), default=0))

    def map(self: P, change: Callable[[Part], Part]) -> P:
        """Return this part with ``change`` applied to each that is inside."""
        if not self.inside:
            return self
        changed = (_map_in(value, change) for value in self.content())
        return type(self)(*changed)

    def __repr__(self) -> str:
        from flavorframe._expr.formula import brief

        return f"<{type(self).__name__} {brief(self)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _assembled, (_flat(self),)


P = TypeVar("P", bound=Part)


@dataclass(frozen=True, eq=False, repr=False)
class Axis(Part):
    """What an expression has one value for each of."""

    @property
    def name(self) -> str:
        """How messages call the axis."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False)
class EventAxis(Axis):
    """One value an event."""

    @property
    def name(self) -> str:
        return "event"


@dataclass(frozen=True, eq=False, repr=False)
class DeferredAxis(Axis):
    """The axis of a raw branch: known once the file is open."""

    @property
    def name(self) -> str:
        return "element of the branch"


@dataclass(frozen=True, eq=False, repr=False)
class CollectionAxis(Axis):
    """One value for each element of a stored collection."""

    collection: str

    @property
    def name(self) -> str:
        return self.collection


@dataclass(frozen=True, eq=False, repr=False)
class Subset(Axis):
    """The elements of ``parent`` on which ``mask`` holds."""

    parent: Axis
    mask: Node

    @property
    def name(self) -> str:
        return _written(self)


@dataclass(frozen=True, eq=False, repr=False)
class Combination(Axis):
    """Pairs or triples of elements; equal parents combine without order or repetition."""

    parents: tuple[Axis, ...]

    @property
    def name(self) -> str:
        return _written(self)


EVENT = EventAxis()
DEFERRED = DeferredAxis()


@dataclass(frozen=True, eq=False, repr=False)
class Node(Part):
    """One step of a computation; ``axis`` says what it has one value for each of."""

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
        if known is None:  # plans are walked often, and again whenever one cut is another
            known = tuple(_nodes_in(self.inside))
            object.__setattr__(self, "_children", known)
        return known


@dataclass(frozen=True, eq=False, repr=False)
class Literal(Node):
    """A number, truth value or string."""

    value: Value

    @property
    def axis(self) -> Axis:
        return EVENT

    def key(self) -> tuple[Any, ...]:
        return _exact(self.value)


@dataclass(frozen=True, eq=False, repr=False)
class Field(Node):
    """A friendly name; an empty path is the element of the collection itself."""

    on: Axis
    path: tuple[str, ...]

    @property
    def axis(self) -> Axis:
        return self.on


@dataclass(frozen=True, eq=False, repr=False)
class Branch(Node):
    """A branch by its name in the file."""

    branch: str
    on: Axis

    @property
    def axis(self) -> Axis:
        return self.on


@dataclass(frozen=True, eq=False, repr=False)
class Column(Node):
    """A branch of an open file, its axis and the kind of its values known (bound trees only)."""

    branch: str
    on: Axis
    kind: str

    @property
    def axis(self) -> Axis:
        return self.on


@dataclass(frozen=True, eq=False, repr=False)
class Fired(Node):
    """Whether any path of a trigger menu that fits one of the patterns fired."""

    menu: str
    patterns: tuple[str, ...]

    @property
    def axis(self) -> Axis:
        return EVENT


@dataclass(frozen=True, eq=False, repr=False)
class Apply(Node):
    """An operation of `flavorframe._expr.operations`, element by element."""

    operation: str
    arguments: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.arguments)


@dataclass(frozen=True, eq=False, repr=False)
class IsIn(Node):
    """Whether the operand equals one of the values."""

    operand: Node
    values: tuple[Value, ...]

    @cached_property
    def axis(self) -> Axis:
        return self.operand.axis

    def key(self) -> tuple[Any, ...]:
        return self.operand, tuple(map(_exact, self.values))


@dataclass(frozen=True, eq=False, repr=False)
class StringTest(Node):
    """Whether a name starts with, contains or matches (shell pattern) one of the patterns."""

    test: str
    operand: Node
    patterns: tuple[str, ...]

    @cached_property
    def axis(self) -> Axis:
        return self.operand.axis


@dataclass(frozen=True, eq=False, repr=False)
class Reduce(Node):
    """One value an event from the operand's values in it."""

    reduction: str
    operand: Node

    @property
    def axis(self) -> Axis:
        return EVENT


@dataclass(frozen=True, eq=False, repr=False)
class Take(Node):
    """The operand, which lives on the subset's parent, at the elements of the subset."""

    operand: Node
    subset: Subset

    @property
    def axis(self) -> Axis:
        return self.subset


@dataclass(frozen=True, eq=False, repr=False)
class Member(Node):
    """The operand, which lives on a parent of the combination, at its member ``position``."""

    operand: Node
    combination: Combination
    position: int

    @property
    def axis(self) -> Axis:
        return self.combination


@dataclass(frozen=True, eq=False, repr=False)
class Position(Node):
    """The index of each element in its collection, counted from 0 in each event."""

    on: Axis

    @property
    def axis(self) -> Axis:
        return self.on


@dataclass(frozen=True, eq=False, repr=False)
class Match(Node):
    """The index, in the target, of the first element whose keys equal the values bit for bit.

    No such element: the index is missing.
    """

    target: Axis
    keys: tuple[Node, ...]
    values: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.values)


@dataclass(frozen=True, eq=False, repr=False)
class Gather(Node):
    """The operand, which lives on the target, at the element that ``index`` points to.

    An index outside the collection gives a missing value.
    """

    operand: Node
    target: Axis
    index: Node

    @cached_property
    def axis(self) -> Axis:
        return self.index.axis


@dataclass(frozen=True, eq=False, repr=False)
class Found(Node):
    """Whether a link's index points to an element."""

    target: Axis
    index: Node

    @cached_property
    def axis(self) -> Axis:
        return self.index.axis


@dataclass(frozen=True, eq=False, repr=False)
class CallFunction(Node):
    """A user's function over numpy arrays."""

    function: Function
    arguments: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.arguments)


@dataclass(frozen=True, eq=False, repr=False)
class CallCorrection(Node):
    """A correction of a correctionlib file, its inputs in the order that it declares."""

    correction: Correction
    arguments: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.arguments)


def join_axes(nodes: tuple[Node, ...]) -> Axis:
    """Return the axis of a combination of nodes: event values repeat, a raw branch follows.

    Raises ExpressionError where two different collections meet.
    """
    joined: Axis = EVENT
    for node in nodes:
        joined = _join(joined, node.axis, nodes)
    return joined


def _join(first: Axis, second: Axis, nodes: tuple[Node, ...]) -> Axis:
    if first == second or second == EVENT:
        return first
    if first in (EVENT, DEFERRED):
        return second
    if second == DEFERRED:
        return first
    raise ExpressionError(_two_collections(first, second, nodes))


def _two_collections(first: Axis, second: Axis, nodes: tuple[Node, ...]) -> str:
    from flavorframe._expr.formula import brief

    named = {node.axis: brief(node) for node in nodes}
    return (
        f"{named[first]} has one value per {brief(first)} and {named[second]} one per "
        f"{brief(second)}: two collections do not combine. Link an element with .at(index) or "
        ".match(field=...), reduce one side to the event with any(), sum(), min() ..., or build "
        "ff.pairs(...)."
    )


def parts(top: Part) -> Iterator[Part]:
    """Yield everything that a node or axis is made of, each part once, and at last itself.

    What a part is made of comes before it.
    """
    found: dict[Part, None] = {}
    waiting = [top]
    while waiting:
        current = waiting[-1]
        new = () if current in found else [part for part in current.inside if part not in found]
        if new:
            waiting.extend(reversed(new))
        else:
            found[waiting.pop()] = None
    return iter(found)


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything it is computed from, each distinct node once.

    Children come before what is computed from them.
    """
    below: tuple[Node, ...] | None = node.__dict__.get("_below")
    if below is None:  # plans are walked often, and again whenever one cut is another
        below = tuple(part for part in parts(node) if isinstance(part, Node) and part is not node)
        object.__setattr__(node, "_below", below)
    return iter((*below, node))


def lineage(axis: Axis) -> list[Axis]:
    """Return the axis and those that it is a part of, the outermost first."""
    found = [axis]
    while isinstance(found[-1], Subset):
        found.append(found[-1].parent)
    return found[::-1]


def made_from(axis: Axis) -> Iterator[Axis]:
    """Yield the axis, and those that it is a part or a combination of."""
    waiting = [axis]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(part for part in current.inside if isinstance(part, Axis))


def innermost(node: Node) -> Node:
    """Return what is taken, gathered or a member in the end."""
    while isinstance(node, Take | Gather | Member):
        node = node.operand
    return node


def may_be_missing(node: Node) -> bool:
    """Return whether the node's values can be missing: behind a link, or of no element."""
    missing: set[Node] = set()
    for each in walk(node):
        if _is_missing(each, missing):
            missing.add(each)
    return node in missing


def _is_missing(node: Node, missing: set[Node]) -> bool:
    if isinstance(node, Gather | Match):
        return True
    if isinstance(node, Found):
        return False
    if isinstance(node, Reduce):
        return node.reduction in ("min", "max", "argmin", "argmax", "first")
    return any(child in missing for child in node.children())


def _exact(value: Value) -> tuple[type, str]:
    """Tell values apart that are equal, and do not compute the same: 1, 1.0 and True, 0.0, −0.0."""
    return type(value), repr(value)


def _written(axis: Axis) -> str:
    from flavorframe._expr.formula import formula

    return formula(axis)


def _parts_in(value: Any) -> tuple[Part, ...]:
    if isinstance(value, Part):
        return (value,)
    if isinstance(value, tuple):
        return tuple(item for item in value if isinstance(item, Part))
    return ()


def _nodes_in(inside: tuple[Part, ...]) -> Iterator[Node]:
    """Yield the nodes of some parts, and the masks in the axes among them."""
    waiting = list(reversed(inside))
    while waiting:
        part = waiting.pop()
        if isinstance(part, Node):
            yield part
        else:
            waiting.extend(reversed(part.inside))


def _map_in(value: Any, change: Callable[[Part], Any]) -> Any:
    if isinstance(value, Part):
        return change(value)
    if isinstance(value, tuple):
        return tuple(change(item) if isinstance(item, Part) else item for item in value)
    return value


class _Place(int):
    """Where a part stands in a flat tree."""


Flat = tuple[tuple[type[Part], tuple[Any, ...]], ...]


def _flat(top: Part) -> Flat:
    """Return the kinds and values of a tree's parts, inner parts before what is made of them."""
    places: dict[Part, Part | _Place] = {}
    flat = []
    for place, part in enumerate(parts(top)):
        values = tuple(_map_in(value, places.__getitem__) for value in part.content())
        flat.append((type(part), values))
        places[part] = _Place(place)
    return tuple(flat)


def _assembled(flat: Flat) -> Part:
    """Return the tree that `_flat` made flat."""
    made: list[Part] = []
    for kind, values in flat:
        made.append(kind(*(_place_in(value, made) for value in values)))
    return made[-1]


def _place_in(value: Any, made: list[Part]) -> Any:
    if isinstance(value, _Place):
        return made[value]
    if isinstance(value, tuple):
        return tuple(made[item] if isinstance(item, _Place) else item for item in value)
    return value
