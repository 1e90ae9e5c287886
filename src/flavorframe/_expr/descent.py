"""Nodes that follow mothers: from particles to those that they come from, and how many come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flavorframe._expr.axes import Axis, Node, join_axes
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.parts import Texts
from flavorframe._expr.texts import Text, put


@dataclass(frozen=True, eq=False, repr=False)
class FirstCopy(Node):
    """The index of the first of the copies of each particle that generators make.

    From each element on, ``mother`` is followed for as long as ``label`` stays as it is. The index
    is missing where that leads round in a circle. All elements of the file are seen.
    """

    mother: Node
    label: Node

    @cached_property
    def axis(self) -> Axis:
        return join_axes((self.mother, self.label))

    def find_kind(self) -> str:
        return "int"

    def text(self, texts: Texts) -> Text:
        return put("first_copy(", texts[self.axis], ")")


@dataclass(frozen=True, eq=False, repr=False)
class Pointing(Node):
    """How many elements with the condition have an index that leads to each element of the target.

    All elements of the file are seen.
    """

    target: Axis
    index: Node
    condition: Node

    @property
    def axis(self) -> Axis:
        return self.target

    def find_kind(self) -> str:
        return "int"

    def text(self, texts: Texts) -> Text:
        return put("count(", texts[self.index], " where ", texts[self.condition], ")")


@dataclass(frozen=True, eq=False, repr=False)
class IsAncestor(Node):
    """Whether mothers lead from the element at index ``below`` to the one at index ``above``.

    Both are indices on the axis of ``mother``; false where one of them leads nowhere.
    """

    above: Node
    below: Node
    mother: Node

    @cached_property
    def axis(self) -> Axis:
        return join_axes((self.above, self.below))

    def find_kind(self) -> str:
        return "bool"

    def text(self, texts: Texts) -> Text:
        return put(texts[self.above], " above ", texts[self.below])


@dataclass(frozen=True, eq=False, repr=False)
class Named(Node):
    """The operand under a name, which formulas have in its place; binding leaves the operand."""

    operand: Node
    name: str

    @cached_property
    def axis(self) -> Axis:
        return self.operand.axis

    def find_kind(self) -> str:
        return kind_of(self.operand)

    def text(self, texts: Texts) -> Text:
        return self.name
