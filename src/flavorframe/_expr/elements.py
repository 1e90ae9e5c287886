"""Nodes that take values from certain elements: parts of collections, members, links."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flavorframe._expr.axes import (
    EVENT,
    Axis,
    Combination,
    Node,
    Per,
    Subset,
    join_axes,
    outer_axis,
)
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.parts import Texts
from flavorframe._expr.texts import Text, after, first, joined, last_name, put

_SUBSCRIPTS = ("₁", "₂", "₃")


@dataclass(frozen=True, eq=False, repr=False)
class Position(Node):
    """The index of each element in its collection, counted from 0 in each event."""

    on: Axis

    @property
    def axis(self) -> Axis:
        return self.on

    def find_kind(self) -> str:
        return "int"

    def text(self, texts: Texts) -> Text:
        return put("index(", texts[self.on], ")")


@dataclass(frozen=True, eq=False, repr=False)
class Take(Node):
    """The operand, which lives on the subset's parent, at the elements of the subset."""

    operand: Node
    subset: Subset

    @property
    def axis(self) -> Axis:
        return self.subset

    def find_kind(self) -> str:
        return kind_of(self.operand)

    def text(self, texts: Texts) -> Text:
        inner = texts[self.operand]
        rest = after(texts[self.subset.parent], inner)
        if rest is not None:
            return put(texts[self.subset], rest)
        return put(inner, " where ", texts[self.subset.mask])


@dataclass(frozen=True, eq=False, repr=False)
class Member(Node):
    """The operand, which lives on a parent of the combination, at its member ``position``."""

    operand: Node
    combination: Combination
    position: int

    @property
    def axis(self) -> Axis:
        return self.combination

    def find_kind(self) -> str:
        return kind_of(self.operand)

    def text(self, texts: Texts) -> Text:
        inner = texts[self.operand]
        parent = texts[self.combination.parents[self.position]]
        rest = after(parent, inner)
        return put(parent, _SUBSCRIPTS[self.position], inner if rest is None else rest)


@dataclass(frozen=True, eq=False, repr=False)
class Inner(Node):
    """The operand, which lives on the inner axis, at each element of a nested axis."""

    operand: Node
    nested: Per

    @property
    def axis(self) -> Axis:
        return self.nested

    def find_kind(self) -> str:
        return kind_of(self.operand)

    def text(self, texts: Texts) -> Text:
        inner = texts[self.operand]
        rest = after(texts[self.nested.inner], inner)
        return put(texts[self.nested], *((".", inner) if rest is None else (rest,)))


@dataclass(frozen=True, eq=False, repr=False)
class Match(Node):
    """The index, in the target, of the first element whose keys equal the values bit for bit.

    Where there is no such element, the index is missing.
    """

    target: Axis
    keys: tuple[Node, ...]
    values: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return _asking(self.target, *self.values)

    def find_kind(self) -> str:
        return "int"

    def text(self, texts: Texts) -> Text:
        pairs = zip(self.keys, self.values, strict=True)
        keys = joined(", ", [put(last_name(texts[k]), " = ", texts[v]) for k, v in pairs])
        return put(texts[self.target], ".match(", keys, ")")


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
        return _asking(self.target, self.index)

    def find_kind(self) -> str:
        return kind_of(self.operand)

    def text(self, texts: Texts) -> Text:
        inner, link = texts[self.operand], _link(self, texts)
        rest = after(texts[self.target], inner)
        if rest is None or first(rest, 1) not in ("", ".", "["):
            return put(link, ".", inner)
        return put(link, rest)


@dataclass(frozen=True, eq=False, repr=False)
class Found(Node):
    """Whether a link's index points to an element."""

    target: Axis
    index: Node

    @cached_property
    def axis(self) -> Axis:
        return _asking(self.target, self.index)

    def find_kind(self) -> str:
        return "bool"

    def text(self, texts: Texts) -> Text:
        return put(_link(self, texts), " exists")


def innermost(node: Node) -> Node:
    """Return what is taken, gathered or a member in the end."""
    while isinstance(node, Take | Gather | Member | Inner):
        node = node.operand
    return node


def _asking(target: Axis, *nodes: Node) -> Axis:
    """Return the axis of a link: each element of it asks one list of the target."""
    outer = outer_axis(target)
    return join_axes(nodes if outer == EVENT else (Position(outer), *nodes))


def _link(node: Gather | Found, texts: Texts) -> Text:
    index = texts[node.index]
    if isinstance(node.index, Match):
        return index
    return put(texts[node.target], ".at(", index, ")")
