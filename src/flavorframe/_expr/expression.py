"""What users hold: lazy expressions. Collections are in `collection`, the event in `event`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from html import escape
from typing import ClassVar, NoReturn, TypeAlias
from weakref import WeakValueDictionary

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.constants import Constant, constant, constants, is_number, is_whole
from flavorframe._expr.defaults import with_default
from flavorframe._expr.formula import brief, formula
from flavorframe._expr.logic import decided
from flavorframe._expr.objects import (
    field_of,
    is_object,
    offered_fields,
    value_of,
    whether_from,
)
from flavorframe._expr.operations import OPERATIONS
from flavorframe._expr.operators import NUMPY_NAMES, Operators
from flavorframe._expr.reductions import REDUCTIONS
from flavorframe._expr.strings import refuse_computing_with_strings, refuse_string
from flavorframe.errors import ExpressionError

Operand: TypeAlias = "Expr | Constant"
"""What an operation takes: an expression, number, truth value or string."""

CLOSED = ("left", "right", "both", "none")


class Expr(Operators["Expr"]):
    """A quantity to be computed: one value for each event, or each element of a collection.

    Expressions are immutable and hashable; equal expressions are one object. Operators build new
    ones, `formula` prints them, and nothing is computed before an analysis runs.

    Example:
        >>> import flavorframe as ff
        >>> mass = ff.events().triplet.mass
        >>> mass.between(1.62, 2.02)
        <1.62 ≤ triplet.mass < 2.02, one value per triplet>
    """

    __slots__ = ("__weakref__", "node")
    __array_priority__ = 1000
    _interned: ClassVar[WeakValueDictionary[tuple[type, n.Node], Expr]] = WeakValueDictionary()
    node: n.Node

    def __new__(cls, node: n.Node) -> Expr:
        """Return the one expression of this node."""
        known = Expr._interned.get((cls, node))
        if known is None:
            known = object.__new__(cls)
            object.__setattr__(known, "node", node)
            Expr._interned[cls, node] = known
        return known

    @property
    def axis(self) -> n.Axis:
        """What there is one value for each of."""
        return self.node.axis

    @property
    def formula(self) -> str:
        """The expression as a formula."""
        return formula(self.node)

    def __repr__(self) -> str:
        return f"<{brief(self.node)}, one value per {brief(self.axis)}>"

    def _repr_html_(self) -> str:
        return (
            f"<code>{escape(brief(self.node))}</code> <small>per {escape(brief(self.axis))}</small>"
        )

    def __reduce__(self) -> tuple[type[Expr], tuple[n.Node]]:
        return type(self), (self.node,)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"expressions are immutable: cannot set {name!r} on {self!r}")

    def __getattr__(self, name: str) -> Expr:
        """Return a field of the object that this expression stands for."""
        if name.startswith("_"):
            raise AttributeError(name)
        node = field_of(self.node, name)
        if node is None:
            raise AttributeError(f"{self!r} is a value and has no field {name!r}")
        return Expr(node)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *offered_fields(self.node)]

    def __hash__(self) -> int:
        return hash(self.node)

    def __bool__(self) -> bool:
        raise ExpressionError(
            f"The truth of {brief(self.node)} is not known before the run. Use & for 'and', | for "
            "'or', ~ for 'not', and x.between(a, b) instead of a < x < b."
        )

    def __iter__(self) -> Iterator[Expr]:
        raise ExpressionError(
            f"{brief(self.node)} cannot be looped over: it has no values before the run. Write the "
            "operation on the whole expression, or use ff.function for your own."
        )

    def __len__(self) -> int:
        raise ExpressionError(f"{brief(self.node)} has no length before the run; use .count().")

    def __getitem__(self, key: str | Expr) -> Expr:
        raise ExpressionError(
            f"{self.formula}[...]: an expression has no elements before the run. Of an event's "
            "values .first() is the first; element i of a collection is muon.at(i), and its fields "
            "are muon.at(i).pt."
        )

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Operand, **options: object
    ) -> Expr:
        name = NUMPY_NAMES.get(ufunc.__name__, ufunc.__name__)
        if method != "__call__" or options or name not in OPERATIONS:
            raise ExpressionError(
                f"np.{ufunc.__name__} does not work on expressions; use ff.function for it."
            )
        return apply(name, *inputs)

    def __pos__(self) -> Expr:
        return self

    def _apply(self, operation: str, *others: Operand) -> Expr:
        return apply(operation, self, *others)

    def _apply_reflected(self, operation: str, other: Operand) -> Expr:
        return apply(operation, other, self)

    def between(self, low: Operand, high: Operand, *, closed: str = "left") -> Expr:
        """Test whether the value lies between two others, by default low ≤ x < high as in a bin.

        Args:
            low: The lower end, in the unit of the values.
            high: The upper end.
            closed: Which ends count as inside: "left", "right", "both" or "none".

        Returns:
            A condition with one truth value for each value; false for NaN.

        Raises:
            ExpressionError: ``closed`` is another word, or the numbers are the wrong way round.

        Example:
            >>> import flavorframe as ff
            >>> ff.events().muon.eta.between(-2.4, 2.4, closed="both")
            <−2.4 ≤ muon.eta ≤ 2.4, one value per muon>
        """
        if closed not in CLOSED:
            raise ExpressionError(f"closed={closed!r} is not one of {', '.join(CLOSED)}.")
        if is_number(low) and is_number(high) and low > high:
            raise ExpressionError(
                f"{brief(self.node)} between {low} and {high} is never true: write the lower end "
                "first."
            )
        return apply(f"between_{closed}", self, low, high)

    def isin(self, *values: Constant | Iterable[Constant]) -> Expr:
        """Test whether the value is one of several.

        Args:
            values: Numbers or strings, one by one or as one list.

        Returns:
            A condition with one truth value for each value.

        Raises:
            ExpressionError: One of them is no constant.

        Example:
            >>> import flavorframe as ff
            >>> ff.events().muon.charge.isin(-1, 1)
            <muon.charge ∈ {-1, 1}, one value per muon>
        """
        return Expr(n.IsIn(value_of(self.node), constants(values)))

    def bit(self, number: int) -> Expr:
        """Test whether a bit of a whole number is set.

        Args:
            number: The bit, from 0, the lowest, to 63.

        Returns:
            A condition with one truth value for each value.

        Raises:
            ExpressionError: There is no such bit, or the values are no whole numbers.

        Example:
            >>> import flavorframe as ff
            >>> ff.events().gen_part.status_flags.bit(13)
            <bit(gen_part.status_flags, 13), one value per gen_part>
        """
        if not is_whole(number) or not 0 <= number < 64:
            raise ExpressionError(
                f"{self.formula}: .bit() takes the number of a bit, from 0 to 63, not {number!r}."
            )
        return apply("bit", self, number)

    def default(self, value: Constant) -> Expr:
        """Return the same, with a value for files that lack the branch or trigger path.

        It has that value in each event of such a file, or for each element of the collection.
        Behind a link that leads nowhere it stays missing.

        Args:
            value: A number, truth value or string, of the kind that the branch holds elsewhere.

        Raises:
            ExpressionError: What it is asked of is computed, an object, or of another kind.

        Example:
            >>> import flavorframe as ff
            >>> ff.events().muon.mva_id.default(-1)
            <muon.mva_id.default(−1), one value per muon>
        """
        return Expr(with_default(self.node, constant(value)))

    # strings

    def startswith(self, *names: str) -> Expr:
        """Test whether the string starts with one of ``names``."""
        return self._string_test("startswith", names)

    def contains(self, *names: str) -> Expr:
        """Test whether the string contains one of ``names``."""
        return self._string_test("contains", names)

    def matches(self, *patterns: str) -> Expr:
        """Test whether the whole string fits one of some shell patterns.

        Args:
            patterns: Patterns in which ``*`` stands for any characters, ``?`` for any one, and
                ``[ab]`` for one of those in brackets.

        Returns:
            A condition with one truth value for each string.

        Raises:
            ExpressionError: No pattern is given, or one that is no string.

        Example:
            >>> import flavorframe as ff
            >>> ff.events()["Trigger_hltname"].matches("HLT_DoubleMu*")
            <Trigger_hltname matches 'HLT_DoubleMu*', one value per element of the branch>
        """
        return self._string_test("matches", patterns)

    def _string_test(self, test: str, patterns: tuple[str, ...]) -> Expr:
        if not patterns or not all(isinstance(p, str) for p in patterns):
            raise ExpressionError(f"{test}() takes one or more strings, not {patterns!r}.")
        return Expr(n.StringTest(test, value_of(self.node), patterns))

    # reductions to the event

    def any(self) -> Expr:
        """Return, per event, whether the condition holds for at least one element."""
        return reduced(self, "any")

    def all(self) -> Expr:
        """Return, per event, whether the condition holds for each element; true for none."""
        return reduced(self, "all")

    def count(self) -> Expr:
        """Return, per event, for how many elements a condition holds, or how many there are.

        Returns:
            A whole number for each event.

        Raises:
            ExpressionError: There is one value an event already.

        Example:
            >>> import flavorframe as ff
            >>> muon = ff.events().muon
            >>> (muon.pt > 5).count(), muon.count()
            (<count(muon.pt > 5), one value per event>, <count(muon), one value per event>)
        """
        return reduced(self, "count")

    def sum(self) -> Expr:
        """Return the sum over the elements of each event, 0 where there is none."""
        return reduced(self, "sum")

    def min(self) -> Expr:
        """Return the smallest value of each event, NaN set aside; missing where there is none."""
        return reduced(self, "min")

    def max(self) -> Expr:
        """Return the largest value of each event, NaN set aside; missing where there is none."""
        return reduced(self, "max")

    def argmin(self) -> Expr:
        """Return the index of the smallest value of each event, the first of equal ones."""
        return reduced(self, "argmin")

    def argmax(self) -> Expr:
        """Return the index of the largest value of each event, the first of equal ones."""
        return reduced(self, "argmax")

    def is_from(self, collection: Expr) -> Expr:
        """Return whether an element of `ff.concatenate` is of one of its collections.

        Args:
            collection: One of those that were put together.

        Returns:
            A condition with one truth value per element.

        Raises:
            ExpressionError: It is of no such collection.

        Example:
            >>> import flavorframe as ff
            >>> events = ff.events()
            >>> leptons = ff.concatenate(events.muon, events.electron)
            >>> leptons[leptons.is_from(events.muon)].count()
            <count(concatenate(muon, electron)[concatenate(muon, electron).is_from(muon)]), one \
value per event>
        """
        return Expr(whether_from(self.node, collection.axis))

    def first(self) -> Expr:
        """Return the value of the first element of each event; missing where there is none."""
        return reduced(self, "first")

    @property
    def found(self) -> Expr:
        """Whether a link points to an element: ``muon.match(pt=...).found``."""
        if not (isinstance(self.node, n.Gather) and is_object(self.node.operand)):
            raise ExpressionError(f"{brief(self.node)} is not a link made by .at() or .match().")
        return Expr(n.Found(self.node.target, self.node.index))


def as_node(value: Operand) -> n.Node:
    """Return the node of an expression, number, truth value or string.

    Raises ExpressionError for anything else.
    """
    return value_of(value.node) if isinstance(value, Expr) else n.Literal(constant(value))


def apply(operation: str, *arguments: Operand) -> Expr:
    """Return the expression of an operation.

    Raises ExpressionError where the axes do not join, or the kinds of the values do not go with it.
    """
    node = n.Apply(operation, tuple(as_node(a) for a in arguments))
    refuse_computing_with_strings(node)
    return Expr(_so_many(node) or decided(node))


def _so_many(node: n.Apply) -> n.Quantity | None:
    """Return a number times a unit as the one constant that it is; None for anything else."""
    units = [each.unit for each in node.arguments if isinstance(each, n.Quantity)]
    numbers = [float(each.value) for each in node.arguments if isinstance(each, n.Literal)]
    if len(units) != 1 or len(numbers) != len(node.arguments):
        return None
    if node.operation == "negative":
        return n.Quantity(-numbers[0], units[0])
    return n.Quantity(math.prod(numbers), units[0]) if node.operation == "multiply" else None


def reduced(x: Expr, reduction: str) -> Expr:
    """Return, per event, what a reduction makes of the values; see the methods of `Expr`."""
    if x.axis == n.EVENT:
        raise ExpressionError(
            f"{brief(x.node)} has one value per event already: .{reduction}() has nothing to "
            "reduce."
        )
    if reduction == "count" and is_object(x.node):
        return Expr(n.Reduce("size", n.Position(x.axis)))
    node = value_of(x.node)
    if not REDUCTIONS[reduction].takes_strings:
        refuse_string(node, f"{reduction}({brief(node)})", "reduced")
    return Expr(n.Reduce(reduction, node))
