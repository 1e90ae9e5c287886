"""What an expression is made of: immutable, hashable nodes on an axis.

A node says *what* is computed, never how. Engines walk nodes; users meet them as ``Expr``.
A **friendly** tree holds `Field`, `Branch` and `Fired` leaves, which only a layout can resolve; a
**bound** tree holds `Column` leaves instead and is what engines evaluate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flavorframe.expr.external import Correction, Function

Value = bool | int | float | str | np.uint64


@dataclass(frozen=True)
class Axis:
    """What an expression has one value for each of."""

    @property
    def name(self) -> str:
        """How messages call the axis."""
        raise NotImplementedError


@dataclass(frozen=True)
class EventAxis(Axis):
    """One value an event."""

    @property
    def name(self) -> str:
        return "event"


@dataclass(frozen=True)
class DeferredAxis(Axis):
    """The axis of a raw branch: known once the file is open."""

    @property
    def name(self) -> str:
        return "element of the branch"


@dataclass(frozen=True)
class CollectionAxis(Axis):
    """One value for each element of a stored collection."""

    collection: str

    @property
    def name(self) -> str:
        return self.collection


@dataclass(frozen=True)
class Subset(Axis):
    """The elements of ``parent`` on which ``mask`` holds."""

    parent: Axis
    mask: Node

    @property
    def name(self) -> str:
        from flavorframe.expr.formula import formula

        return f"{self.parent.name}[{formula(self.mask)}]"


@dataclass(frozen=True)
class Combination(Axis):
    """Pairs or triples of elements; equal parents combine without order or repetition."""

    parents: tuple[Axis, ...]

    @property
    def name(self) -> str:
        word = {2: "pairs", 3: "triples"}[len(self.parents)]
        unique = list(dict.fromkeys(parent.name for parent in self.parents))
        names = unique if len(unique) == 1 else [parent.name for parent in self.parents]
        return f"{word}({', '.join(names)})"


EVENT = EventAxis()
DEFERRED = DeferredAxis()


@dataclass(frozen=True, eq=False)
class Node:
    """One step of a computation; ``axis`` says what it has one value for each of."""

    @property
    def axis(self) -> Axis:
        """The axis of the values."""
        raise NotImplementedError

    def key(self) -> tuple[Any, ...]:
        """Return what two equal nodes have in common."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        same = type(self) is type(other) and hash(self) == hash(other)
        return same and isinstance(other, Node) and self.key() == other.key()

    def __hash__(self) -> int:
        known: int | None = self.__dict__.get("_hash")
        if known is None:  # trees share their branches: without memory, hashing would walk them all
            known = hash((type(self), self.key()))
            object.__setattr__(self, "_hash", known)
        return known

    def __getstate__(self) -> dict[str, Any]:  # string hashes differ from process to process
        own = ("_hash", "_fingerprint", "_children", "_below", "_kind", "axis")
        return {key: value for key, value in self.__dict__.items() if key not in own}

    def children(self) -> tuple[Node, ...]:
        """Return the nodes that this one is computed from, masks of its axis included."""
        known: tuple[Node, ...] | None = self.__dict__.get("_children")
        if known is None:  # plans are walked often, and again whenever one cut is another
            known = tuple(n for field in fields(self) for n in _nodes_in(getattr(self, field.name)))
            object.__setattr__(self, "_children", known)
        return known

    def map(self, change: Callable[[Node], Node]) -> Node:
        """Return this node with ``change`` applied to each child."""
        changed = {f.name: _map_in(getattr(self, f.name), change) for f in fields(self)}
        return replace(self, **changed)


@dataclass(frozen=True, eq=False)
class Literal(Node):
    """A number, truth value or string."""

    value: Value

    @property
    def axis(self) -> Axis:
        return EVENT

    def key(self) -> tuple[Any, ...]:
        return type(self.value), self.value  # 1, 1.0 and True are equal, and not the same literal


@dataclass(frozen=True, eq=False)
class Field(Node):
    """A friendly name; an empty path is the element of the collection itself."""

    on: Axis
    path: tuple[str, ...]

    @property
    def axis(self) -> Axis:
        return self.on


@dataclass(frozen=True, eq=False)
class Branch(Node):
    """A branch by its name in the file."""

    branch: str
    on: Axis

    @property
    def axis(self) -> Axis:
        return self.on


@dataclass(frozen=True, eq=False)
class Column(Node):
    """A branch of an open file, its axis and the kind of its values known (bound trees only)."""

    branch: str
    on: Axis
    kind: str

    @property
    def axis(self) -> Axis:
        return self.on


@dataclass(frozen=True, eq=False)
class Fired(Node):
    """Whether any path of a trigger menu that fits one of the patterns fired."""

    menu: str
    patterns: tuple[str, ...]

    @property
    def axis(self) -> Axis:
        return EVENT


@dataclass(frozen=True, eq=False)
class Apply(Node):
    """An operation of `flavorframe.expr.operations`, element by element."""

    operation: str
    arguments: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.arguments)


@dataclass(frozen=True, eq=False)
class IsIn(Node):
    """Whether the operand equals one of the values."""

    operand: Node
    values: tuple[Value, ...]

    @property
    def axis(self) -> Axis:
        return self.operand.axis


@dataclass(frozen=True, eq=False)
class StringTest(Node):
    """Whether a name starts with, contains or matches (shell pattern) one of the patterns."""

    test: str
    operand: Node
    patterns: tuple[str, ...]

    @property
    def axis(self) -> Axis:
        return self.operand.axis


@dataclass(frozen=True, eq=False)
class Reduce(Node):
    """One value an event from the operand's values in it."""

    reduction: str
    operand: Node

    @property
    def axis(self) -> Axis:
        return EVENT


@dataclass(frozen=True, eq=False)
class Take(Node):
    """The operand, which lives on the subset's parent, at the elements of the subset."""

    operand: Node
    subset: Subset

    @property
    def axis(self) -> Axis:
        return self.subset


@dataclass(frozen=True, eq=False)
class Member(Node):
    """The operand, which lives on a parent of the combination, at its member ``position``."""

    operand: Node
    combination: Combination
    position: int

    @property
    def axis(self) -> Axis:
        return self.combination


@dataclass(frozen=True, eq=False)
class Position(Node):
    """The index of each element in its collection, counted from 0 in each event."""

    on: Axis

    @property
    def axis(self) -> Axis:
        return self.on


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True, eq=False)
class Gather(Node):
    """The operand, which lives on the target, at the element that ``index`` points to.

    An index outside the collection gives a missing value.
    """

    operand: Node
    target: Axis
    index: Node

    @property
    def axis(self) -> Axis:
        return self.index.axis


@dataclass(frozen=True, eq=False)
class Found(Node):
    """Whether a link's index points to an element."""

    target: Axis
    index: Node

    @property
    def axis(self) -> Axis:
        return self.index.axis


@dataclass(frozen=True, eq=False)
class CallFunction(Node):
    """A user's function over numpy arrays."""

    function: Function
    arguments: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.arguments)


@dataclass(frozen=True, eq=False)
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
    from flavorframe.expr.formula import formula

    named = {node.axis: formula(node) for node in nodes}
    return (
        f"{named[first]} has one value per {first.name} and {named[second]} one per "
        f"{second.name}: two collections do not combine. Link an element with .at(index) or "
        ".match(field=...), reduce one side to the event with any(), sum(), min() ..., or build "
        "ff.pairs(...)."
    )


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything it is computed from, each distinct node once.

    Children come before what is computed from them.
    """
    below: tuple[Node, ...] | None = node.__dict__.get("_below")
    if below is None:  # plans are walked often, and again whenever one cut is another
        found: dict[Node, None] = {}

        def visit(current: Node) -> None:
            if current not in found:
                for child in current.children():
                    visit(child)
                found[current] = None

        for child in node.children():
            visit(child)
        below = tuple(found)
        object.__setattr__(node, "_below", below)
    return iter((*below, node))


def may_be_missing(node: Node) -> bool:
    """Return whether the node's values can be missing: behind a link, or of no element."""
    if isinstance(node, Gather | Match):
        return True
    if isinstance(node, Found):
        return False
    if isinstance(node, Reduce):
        return node.reduction in ("min", "max", "argmin", "argmax", "first")
    return any(may_be_missing(child) for child in node.children())


def _nodes_in(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, Subset):
        yield value.mask
        yield from _nodes_in(value.parent)
    elif isinstance(value, Combination):
        yield from _nodes_in(value.parents)
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes_in(item)


def _map_in(value: Any, change: Callable[[Node], Node]) -> Any:
    if isinstance(value, Node):
        return change(value)
    if isinstance(value, Axis):
        return map_axis(value, change)
    if isinstance(value, tuple):
        return tuple(_map_in(item, change) for item in value)
    return value


def map_axis(axis: Axis, change: Callable[[Node], Node]) -> Axis:
    """Return the axis with ``change`` applied to the masks in it."""
    if isinstance(axis, Subset):
        return Subset(map_axis(axis.parent, change), change(axis.mask))
    if isinstance(axis, Combination):
        return Combination(tuple(map_axis(parent, change) for parent in axis.parents))
    return axis
