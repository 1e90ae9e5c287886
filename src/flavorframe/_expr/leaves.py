"""The leaves of trees: constants, names, branches, trigger decisions, and default values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe._expr.axes import EVENT, UNRESOLVED, Axis, Node
from flavorframe._expr.parts import Texts
from flavorframe._expr.texts import Text, put

Value = bool | int | float | str | np.uint64
IS_SIMULATION = "is_simulation"


@dataclass(frozen=True, eq=False, repr=False)
class Literal(Node):
    """A number, truth value or string."""

    value: Value

    @property
    def axis(self) -> Axis:
        return EVENT

    def key(self) -> tuple[Any, ...]:
        return exact(self.value)

    def find_kind(self) -> str:
        if isinstance(self.value, bool | str | float):
            return {bool: "bool", str: "string"}.get(type(self.value), "float")
        return "unsigned" if isinstance(self.value, np.uint64) or self.value >= 2**63 else "int"

    def text(self, texts: Texts) -> Text:
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if isinstance(self.value, str):
            return repr(self.value)
        text = f"{self.value:.12g}" if isinstance(self.value, float) else str(self.value)
        return text.replace("-", "−")


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Node):
    """One value for each element of an axis, in place of a branch that a file lacks.

    It is in bound trees only.
    """

    on: Axis
    value: Value

    @property
    def axis(self) -> Axis:
        return self.on

    def key(self) -> tuple[Any, ...]:
        return self.on, exact(self.value)

    def find_kind(self) -> str:
        return Literal(self.value).find_kind()

    def text(self, texts: Texts) -> Text:
        return Literal(self.value).text(texts)


@dataclass(frozen=True, eq=False, repr=False)
class Quantity(Literal):
    """A number of some unit; binding makes it the number that it is in the units of the file."""

    unit: str

    def key(self) -> tuple[Any, ...]:
        return *exact(self.value), self.unit

    def text(self, texts: Texts) -> Text:
        return self.unit if self.value == 1 else f"{super().text(texts)} {self.unit}"


@dataclass(frozen=True, eq=False, repr=False)
class Field(Node):
    """A friendly name; an empty path is the element of the collection itself."""

    on: Axis
    path: tuple[str, ...]

    @property
    def axis(self) -> Axis:
        return self.on

    def find_kind(self) -> str:  # layouts make truth values of what is so named
        return "bool" if self.path and self.path[-1].startswith("is_") else ""

    def text(self, texts: Texts) -> Text:
        if self.on == EVENT:
            return ".".join(self.path) or "event"
        return put(texts[self.on], *(f".{name}" for name in self.path))


@dataclass(frozen=True, eq=False, repr=False)
class Branch(Node):
    """A branch by its name in the file."""

    branch: str
    on: Axis

    @property
    def axis(self) -> Axis:
        return self.on

    def text(self, texts: Texts) -> Text:
        return self.branch


@dataclass(frozen=True, eq=False, repr=False)
class Column(Node):
    """A branch of an open file, its axis and the kind of its values known (bound trees only)."""

    branch: str
    on: Axis
    kind: str

    @property
    def axis(self) -> Axis:
        return self.on

    def find_kind(self) -> str:
        return self.kind

    def text(self, texts: Texts) -> Text:
        return self.branch


@dataclass(frozen=True, eq=False, repr=False)
class Fired(Node):
    """Whether any path of a trigger menu that fits one of the patterns fired."""

    menu: str
    patterns: tuple[str, ...]

    @property
    def axis(self) -> Axis:
        return EVENT

    def find_kind(self) -> str:
        return "bool"

    def text(self, texts: Texts) -> Text:
        return f"{' or '.join(self.patterns)} fired"


@dataclass(frozen=True, eq=False, repr=False)
class SampleValue(Node):
    """What is known of the dataset that is read; ``value`` is there once a run knows the dataset.

    The formula is the same for all datasets, as their results add up.
    """

    name: str
    value: Value | None = None

    @property
    def axis(self) -> Axis:
        return EVENT

    def key(self) -> tuple[Any, ...]:
        return self.name, None if self.value is None else exact(self.value)

    def find_kind(self) -> str:
        if self.name.startswith("is_"):
            return "bool"
        return "" if self.value is None else Literal(self.value).find_kind()

    def text(self, texts: Texts) -> Text:
        return self.name if self.name == IS_SIMULATION else f"sample({self.name!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Default(Node):
    """A name, branch or trigger decision, and the value that it has where a file lacks it.

    Of a branch without a collection it is one value an event: a file without it cannot say more.
    """

    operand: Node
    value: Value

    @property
    def axis(self) -> Axis:
        return EVENT if self.operand.axis == UNRESOLVED else self.operand.axis

    def key(self) -> tuple[Any, ...]:
        return self.operand, exact(self.value)

    def find_kind(self) -> str:
        kind = Literal(self.value).find_kind()
        return kind if kind in ("bool", "string") else ""  # a number: the file says of what kind

    def text(self, texts: Texts) -> Text:
        operand = texts[self.operand]
        if isinstance(self.operand, Fired):
            operand = put("(", operand, ")")
        return put(operand, f".default({Literal(self.value).text(texts)})")


def exact(value: Value) -> tuple[type, str]:
    """Tell values apart that are equal and do not compute the same: 1, 1.0 and True, 0.0, −0.0."""
    return type(value), repr(value)
