"""Python's operators on expressions: which operation each of them stands for."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from flavorframe._expr.constants import Constant

E = TypeVar("E", bound="Operators[Any]")


class Operators(Generic[E]):
    """The operators of an expression of class ``E``, which says how operations are applied."""

    __slots__ = ()

    def _apply(self, operation: str, *others: E | Constant) -> E:
        """Return the operation with this expression as its first argument."""
        raise NotImplementedError

    def _apply_reflected(self, operation: str, other: E | Constant) -> E:
        """Return the operation with this expression as its second argument."""
        raise NotImplementedError

    # arithmetic
    def __add__(self, other: E | Constant) -> E:
        return self._apply("add", other)

    def __radd__(self, other: E | Constant) -> E:
        return self._apply_reflected("add", other)

    def __sub__(self, other: E | Constant) -> E:
        return self._apply("subtract", other)

    def __rsub__(self, other: E | Constant) -> E:
        return self._apply_reflected("subtract", other)

    def __mul__(self, other: E | Constant) -> E:
        return self._apply("multiply", other)

    def __rmul__(self, other: E | Constant) -> E:
        return self._apply_reflected("multiply", other)

    def __truediv__(self, other: E | Constant) -> E:
        return self._apply("divide", other)

    def __rtruediv__(self, other: E | Constant) -> E:
        return self._apply_reflected("divide", other)

    def __floordiv__(self, other: E | Constant) -> E:
        return self._apply("floor_divide", other)

    def __rfloordiv__(self, other: E | Constant) -> E:
        return self._apply_reflected("floor_divide", other)

    def __mod__(self, other: E | Constant) -> E:
        return self._apply("remainder", other)

    def __rmod__(self, other: E | Constant) -> E:
        return self._apply_reflected("remainder", other)

    def __pow__(self, other: E | Constant) -> E:
        return self._apply("power", other)

    def __rpow__(self, other: E | Constant) -> E:
        return self._apply_reflected("power", other)

    def __neg__(self) -> E:
        return self._apply("negative")

    def __abs__(self) -> E:
        return self._apply("absolute")

    # comparison
    def __lt__(self, other: E | Constant) -> E:
        return self._apply("lt", other)

    def __le__(self, other: E | Constant) -> E:
        return self._apply("le", other)

    def __gt__(self, other: E | Constant) -> E:
        return self._apply("gt", other)

    def __ge__(self, other: E | Constant) -> E:
        return self._apply("ge", other)

    def __eq__(self, other: E | Constant) -> E:  # type: ignore[override]
        return self._apply("eq", other)

    def __ne__(self, other: E | Constant) -> E:  # type: ignore[override]
        return self._apply("ne", other)

    # logic of truth values, bits of whole numbers
    def __and__(self, other: E | Constant) -> E:
        return self._apply("&", other)

    def __rand__(self, other: E | Constant) -> E:
        return self._apply_reflected("&", other)

    def __or__(self, other: E | Constant) -> E:
        return self._apply("|", other)

    def __ror__(self, other: E | Constant) -> E:
        return self._apply_reflected("|", other)

    def __xor__(self, other: E | Constant) -> E:
        return self._apply("^", other)

    def __rxor__(self, other: E | Constant) -> E:
        return self._apply_reflected("^", other)

    def __invert__(self) -> E:
        return self._apply("~")

    def __lshift__(self, other: E | Constant) -> E:
        return self._apply("shift_left", other)

    def __rlshift__(self, other: E | Constant) -> E:
        return self._apply_reflected("shift_left", other)

    def __rshift__(self, other: E | Constant) -> E:
        return self._apply("shift_right", other)

    def __rrshift__(self, other: E | Constant) -> E:
        return self._apply_reflected("shift_right", other)


NUMPY_NAMES = {
    "true_divide": "divide",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "equal": "eq",
    "not_equal": "ne",
    "logical_and": "and",
    "logical_or": "or",
    "logical_xor": "xor",
    "logical_not": "not",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "bitwise_xor": "^",
    "invert": "~",
    "left_shift": "shift_left",
    "right_shift": "shift_right",
}
"""Operations by the names of numpy's functions, where these differ."""
