"""Nodes that compute: operations, tests, reductions, users' functions, corrections, models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any

from flavorframe._expr.axes import Axis, Node, join_axes, outer_axis
from flavorframe._expr.called import Correction, Function
from flavorframe._expr.elements import Position
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.leaves import Literal, Value, exact
from flavorframe._expr.lumi_tables import LumiTable
from flavorframe._expr.operations import (
    ATOM,
    LOGIC,
    OPERATIONS,
    WITHOUT_BRACKETS,
    Operation,
    kind_of_result,
)
from flavorframe._expr.parts import Texts
from flavorframe._expr.reductions import REDUCTIONS
from flavorframe._expr.texts import LongText, Text, joined, put
from flavorframe._models.model import AnyModel


@dataclass(frozen=True, eq=False, repr=False)
class Apply(Node):
    """An operation of `flavorframe._expr.operations`, element by element."""

    operation: str
    arguments: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.arguments)

    def find_kind(self) -> str:
        return kind_of_result(self.operation, [kind_of(a) for a in self.arguments])

    def text(self, texts: Texts) -> Text:
        if self.operation in _OF_OBJECTS:
            return _OF_OBJECTS[self.operation](self.arguments, texts)
        operation = _operation(self)
        inside = 0 if operation.precedence == ATOM else operation.precedence
        wrapped = [_wrapped(a, texts, inside, last=i > 0) for i, a in enumerate(self.arguments)]
        pieces: list[Text] = []
        for between, place, _, _ in Formatter().parse(operation.template):
            pieces += [between] if place is None else [between, wrapped[int(place)]]
        return put(*pieces)


@dataclass(frozen=True, eq=False, repr=False)
class IsIn(Node):
    """Whether the operand equals one of the values."""

    operand: Node
    values: tuple[Value, ...]

    @cached_property
    def axis(self) -> Axis:
        return self.operand.axis

    def key(self) -> tuple[Any, ...]:
        return self.operand, tuple(map(exact, self.values))

    def find_kind(self) -> str:
        return "bool"

    def text(self, texts: Texts) -> Text:
        return put(texts[self.operand], f" ∈ {{{', '.join(map(str, self.values))}}}")


@dataclass(frozen=True, eq=False, repr=False)
class StringTest(Node):
    """Whether a name starts with, contains or matches (shell pattern) one of the patterns."""

    test: str
    operand: Node
    patterns: tuple[str, ...]

    @cached_property
    def axis(self) -> Axis:
        return self.operand.axis

    def find_kind(self) -> str:
        return "bool"

    def text(self, texts: Texts) -> Text:
        return put(texts[self.operand], f" {self.test} {' or '.join(map(repr, self.patterns))}")


@dataclass(frozen=True, eq=False, repr=False)
class Reduce(Node):
    """One value of the operand's values in each event, or in each list of a nested axis.

    See `flavorframe._expr.reductions`.
    """

    reduction: str
    operand: Node

    @cached_property
    def axis(self) -> Axis:
        return outer_axis(self.operand.axis)

    def find_kind(self) -> str:
        return REDUCTIONS[self.reduction].kind_of_result(kind_of(self.operand))

    def text(self, texts: Texts) -> Text:
        if self.reduction != "size":
            return put(f"{self.reduction}(", texts[self.operand], ")")
        if isinstance(self.operand, Position):
            return put("count(", texts[self.operand.on], ")")
        return put("length(", texts[self.operand], ")")


@dataclass(frozen=True, eq=False, repr=False)
class CallFunction(Node):
    """A user's function over numpy arrays."""

    function: Function
    arguments: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.arguments)

    def text(self, texts: Texts) -> Text:
        arguments = joined(", ", [texts[a] for a in self.arguments])
        return put(f"{self.function.name}(", arguments, ")")


@dataclass(frozen=True, eq=False, repr=False)
class CallCorrection(Node):
    """A correction of a correctionlib file, its inputs in the order that it declares."""

    correction: Correction
    arguments: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.arguments)

    def find_kind(self) -> str:
        return "float"

    def text(self, texts: Texts) -> Text:
        return _call(self.correction.name, self.correction.inputs, self.arguments, texts)


@dataclass(frozen=True, eq=False, repr=False)
class CallModel(Node):
    """A trained model, its inputs in the order that it was trained with."""

    model: AnyModel
    arguments: tuple[Node, ...]

    @cached_property
    def axis(self) -> Axis:
        return join_axes(self.arguments)

    def find_kind(self) -> str:
        return "float"

    def text(self, texts: Texts) -> Text:
        names = self.model.inputs or [""] * len(self.arguments)
        return _call(self.model.name, names, self.arguments, texts)


@dataclass(frozen=True, eq=False, repr=False)
class LumiLookup(Node):
    """Whether a table lists a lumi section or, where it has values, its value there.

    Without a value for a section it is missing.
    """

    table: LumiTable
    run: Node
    luminosity_block: Node

    @cached_property
    def axis(self) -> Axis:
        return join_axes((self.run, self.luminosity_block))

    def find_kind(self) -> str:
        return "bool" if self.table.values is None else "float"

    def text(self, texts: Texts) -> Text:
        return self.table.name


def _call(name: str, inputs: Sequence[str], arguments: Sequence[Node], texts: Texts) -> Text:
    """Return a call with the name of each input, where it has one."""
    pairs = zip(inputs, arguments, strict=True)
    named = [put(name and f"{name} = ", texts[argument]) for name, argument in pairs]
    return put(f"{name}(", joined(", ", named), ")")


def _wrapped(node: Node, texts: Texts, precedence: int, *, last: bool) -> Text:
    """Return an argument's text, in brackets where its operation is not the tighter one."""
    own = _operation(node).precedence if isinstance(node, Apply) else ATOM
    in_order = own in WITHOUT_BRACKETS or not last
    loose = own < precedence if in_order else own <= precedence
    return put("(", texts[node], ")") if loose else texts[node]


def _operation(node: Apply) -> Operation:
    """Return the operation as far as it is known: logic where one side is a truth value."""
    logic = LOGIC.get(node.operation, "") if kind_of(node) == "bool" else ""
    return OPERATIONS[logic or node.operation]


def _object(arguments: tuple[Node, ...], texts: Texts) -> Text:
    """Name the object that the arguments are fields of, or list them."""
    listed = [texts[a] for a in arguments if not isinstance(a, Literal)]
    owners = {"" if isinstance(text, LongText) else text.rpartition(".")[0] for text in listed}
    if len(owners) == 1 and "" not in owners:
        return owners.pop()
    return put("(", joined(", ", listed), ")")


def _of_objects(name: str, *sizes: int) -> Callable[[tuple[Node, ...], Texts], Text]:
    """Return how a function of objects is written, whose arguments are fields of these.

    ``sizes`` are the numbers of fields of each object; the last one repeats.
    """

    def text(arguments: tuple[Node, ...], texts: Texts) -> Text:
        objects: list[Text] = []
        rest, left = arguments, list(sizes)
        while rest:
            size = left.pop(0) if len(left) > 1 else left[0]
            objects.append(_object(rest[:size], texts))
            rest = rest[size:]
        return put(f"{name}(", joined(", ", objects), ")")

    return text


_OF_OBJECTS = {
    "delta_r": _of_objects("ΔR", 2),
    "delta_phi": _of_objects("Δφ", 1),
    "angle": _of_objects("angle", 3),
    "mass": _of_objects("m", 4),
    "mass_of_components": _of_objects("m", 4),
    "transverse_mass": _of_objects("mT", 2),
    "cos2d": _of_objects("cos2D", 2),
    "cos3d": _of_objects("cos3D", 3),
}
