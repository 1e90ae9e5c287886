"""Nodes that choose: among what a quantity is in each variation, and among categories."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flavorframe._expr.axes import UNRESOLVED, Axis, Node, join_axes
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.leaves import Literal
from flavorframe._expr.operations import kind_of_result
from flavorframe._expr.parts import Texts
from flavorframe._expr.texts import Text, put
from flavorframe.errors import ExpressionError


@dataclass(frozen=True, eq=False, repr=False)
class Varied(Node):
    """A quantity that is another in some variations: ``shifted`` has it for each of ``shifts``.

    Plans have it; engines evaluate plans in which one of its values stands in its place.
    """

    source: str
    nominal: Node
    shifts: tuple[str, ...]
    shifted: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        """That of what is no number: one stands for all elements."""
        named = [("nominal", self.nominal), *zip(self.shifts, self.shifted, strict=True)]
        spread = [(name, node) for name, node in named if not isinstance(node, Literal)]
        known = [(name, node) for name, node in spread if node.axis != UNRESOLVED]
        for name, node in known[1:]:
            if node.axis != known[0][1].axis:
                raise ExpressionError(
                    f"Variation {f'{self.source} {name}'!r} ({brief(node)}) has one value per "
                    f"{brief(node.axis)}, and {known[0][0]} ({brief(known[0][1])}) one per "
                    f"{brief(known[0][1].axis)}: a variation changes values, not what there is one "
                    "value for."
                )
        return join_axes(tuple(node for _, node in spread))

    def find_kind(self) -> str:
        return kind_of_result("where", ["bool", *map(kind_of, (self.nominal, *self.shifted))])

    def text(self, texts: Texts) -> Text:
        return put("(", texts[self.nominal], f" ± {self.source})")


@dataclass(frozen=True, eq=False, repr=False)
class Category(Node):
    """The number of the first condition that holds, or how many there are where none does.

    A condition that is missing does not hold.
    """

    names: tuple[str, ...]
    conditions: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.conditions)

    def find_kind(self) -> str:
        return "int"

    def text(self, texts: Texts) -> Text:
        return put(f"category({', '.join(self.names)})")
