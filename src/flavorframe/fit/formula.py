"""Expressions of parameters: ratios, fractions, scale factors."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flavorframe.fit.parameter import Parameter

_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}

#: How strongly each operation binds, for brackets where they are needed.
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 3}
_SIGNS = {"*": "·", "-": "−"}


class Term(ABC):
    """A number that the fit knows: a `Parameter`, or a `Formula` of parameters and numbers."""

    @abstractmethod
    def at(self, values: Mapping[str, float]) -> float:
        """Return its value where parameters, by name, have the given values."""

    @property
    @abstractmethod
    def leaves(self) -> tuple[Parameter, ...]:
        """The parameters in it, in the order in which they are written."""

    @abstractmethod
    def changed(self, name: str, changes: Mapping[str, Any]) -> Term:
        """Return it with other fields in the parameter of this name, if that is in it."""

    def __add__(self, other: Term | float) -> Formula:
        return Formula("+", self, other)

    def __radd__(self, other: float) -> Formula:
        return Formula("+", other, self)

    def __sub__(self, other: Term | float) -> Formula:
        return Formula("-", self, other)

    def __rsub__(self, other: float) -> Formula:
        return Formula("-", other, self)

    def __mul__(self, other: Term | float) -> Formula:
        return Formula("*", self, other)

    def __rmul__(self, other: float) -> Formula:
        return Formula("*", other, self)

    def __truediv__(self, other: Term | float) -> Formula:
        return Formula("/", self, other)

    def __rtruediv__(self, other: float) -> Formula:
        return Formula("/", other, self)

    def __pow__(self, other: Term | float) -> Formula:
        return Formula("**", self, other)

    def __neg__(self) -> Formula:
        return Formula("*", -1, self)


@dataclass(frozen=True, repr=False)
class Formula(Term):
    """What arithmetic makes of parameters. Write ``ratio * total``, and not this class.

    Args:
        operation: One of ``+ - * / **``.
        left: What stands to its left.
        right: What stands to its right.

    Example:
        >>> from flavorframe.fit import Parameter
        >>> total = Parameter("N", 1000, limits=(0, 5000))
        >>> fraction = Parameter("f", 0.3, limits=(0, 1))
        >>> narrow = (1 - fraction) * total
        >>> narrow
        (1 − f)·N
        >>> narrow.at({"N": 1000, "f": 0.25})
        750.0
    """

    operation: str
    left: Term | float
    right: Term | float

    def at(self, values: Mapping[str, float]) -> float:  # noqa: D102
        left, right = (
            side.at(values) if isinstance(side, Term) else side for side in (self.left, self.right)
        )
        return _OPERATIONS[self.operation](left, right)

    @property
    def leaves(self) -> tuple[Parameter, ...]:  # noqa: D102
        sides = (self.left, self.right)
        return tuple(leaf for side in sides if isinstance(side, Term) for leaf in side.leaves)

    def changed(self, name: str, changes: Mapping[str, Any]) -> Formula:  # noqa: D102
        left, right = (
            side.changed(name, changes) if isinstance(side, Term) else side
            for side in (self.left, self.right)
        )
        return replace(self, left=left, right=right)

    def __repr__(self) -> str:
        spaces = " " if _BINDING[self.operation] == 1 else ""
        sign = f"{spaces}{_SIGNS.get(self.operation, self.operation)}{spaces}"
        return f"{self._side(self.left, 0)}{sign}{self._side(self.right, 1)}"

    def _side(self, side: Term | float, at_least: int) -> str:
        text = term_text(side)
        # What stands to the right binds more strongly, or it needs brackets: a − (b − c).
        weak = isinstance(side, Formula) and (
            _BINDING[side.operation] < _BINDING[self.operation] + at_least
        )
        return f"({text})" if weak else text


def term_text(term: Term | float) -> str:
    """Return a term as formulas and tables have it: parameters by their names.

    >>> term_text(0.5)
    '0.5'
    """
    if isinstance(term, Formula):
        return repr(term)
    if isinstance(term, Term):
        (leaf,) = term.leaves
        return leaf.name if leaf.factor == 1 else f"{leaf.factor:.4g}·{leaf.name}"
    return f"{term:g}"
