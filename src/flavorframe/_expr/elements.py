"""Nodes of certain elements: of parts of collections, of collections put together, of links."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flavorframe._expr.axes import (
    EVENT,
    Axis,
    Combination,
    Concatenation,
    Node,
    Per,
    Sorted,
    Subset,
    Taken,
    join_axes,
    outer_axis,
)
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.leaves import Literal
from flavorframe._expr.operations import kind_of_result
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
    """The operand, which lives on the parent, at the elements that are taken of it."""

    operand: Node
    subset: Taken

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
        if isinstance(self.subset, Subset):
            return put(inner, " where ", texts[self.subset.mask])
        return put(inner, " of ", texts[self.subset])


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
        if isinstance(self.operand, Position):
            return put("index(", parent, _SUBSCRIPTS[self.position], ")")
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
class Chain(Node):
    """The operands, each of which lives on one parent of the concatenation, one after the other.

    They are of one type: where they differ it is that of a choice between them.
    """

    operands: tuple[Node, ...]
    concatenation: Concatenation

    @property
    def axis(self) -> Axis:
        return self.concatenation

    def find_kind(self) -> str:
        kinds = [kind_of(operand) for operand in self.operands]
        return kinds[0] if len({*kinds}) == 1 else kind_of_result("where", ["bool", *kinds])

    def text(self, texts: Texts) -> Text:
        whole, parents = texts[self.concatenation], self.concatenation.parents
        values = [each.value for each in self.operands if isinstance(each, Literal)]
        if values:  # they say which collection an element is of
            is_from = isinstance(values[0], bool)
            name = texts[parents[values.index(True)]] if is_from else ""
            return put(whole, ".is_from(", name, ")") if is_from else put(whole, ".source")
        named = zip(parents, self.operands, strict=True)
        rests = [after(texts[parent], texts[each]) for parent, each in named]
        if rests[0] is not None and all(rest == rests[0] for rest in rests):
            return put(whole, rests[0])
        return put("concatenate(", joined(", ", [texts[each] for each in self.operands]), ")")


@dataclass(frozen=True, eq=False, repr=False)
class Rank(Node):
    """The place of each element in an order of its collection, counted from 0 in each event."""

    order: Sorted

    @property
    def axis(self) -> Axis:
        return self.order.parent

    def find_kind(self) -> str:
        return "int"

    def text(self, texts: Texts) -> Text:
        return put("rank(", self.order.order(texts), ")")


@dataclass(frozen=True, eq=False, repr=False)
class FromEnd(Node):
    """The index of the element that is the ``number``-th from the end in the file."""

    of: Axis
    number: int

    @property
    def axis(self) -> Axis:
        return outer_axis(self.of)

    def find_kind(self) -> str:
        return "int"

    def text(self, texts: Texts) -> Text:
        return f"−{self.number}"


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
        if isinstance(self.operand, Position):
            return put("index(", link, ")")
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
