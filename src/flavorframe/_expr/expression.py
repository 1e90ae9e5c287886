"""What users hold: lazy expressions, collections, and the event they come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn
from weakref import WeakValueDictionary

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief, formula
from flavorframe._expr.logic import decided
from flavorframe._expr.strings import refuse_computing_with_strings, refuse_string
from flavorframe.errors import ExpressionError

Operand = Any
"""What an operator takes beside an expression: an expression, number, truth value or string."""

CLOSED = ("left", "right", "both", "none")

VOCABULARY: dict[str, tuple[str, ...]] = {
    "event": ("run", "luminosity_block", "event", "n_primary_vertices", "n_pileup"),
    "triplet": (
        "mass", "pt", "eta", "phi", "charge", "vertex_chi2", "vertex_x", "vertex_y", "vertex_z",
        "pv_x", "pv_y", "pv_z", "pv_ntracks", "flight_distance", "flight_error",
        "flight_significance", "mu1", "mu2", "track", "refit1", "refit2", "refit3",
    ),
    "muon": ("pt", "eta", "phi", "charge", "is_global", "is_pf", "is_soft", "is_tracker"),
    "track": ("pt", "eta", "phi", "charge", "dz", "dxy"),
    "mu1": ("pt", "eta", "phi", "trigger_dr", "is_global", "is_pf"),
    "mu2": ("pt", "eta", "phi", "trigger_dr", "is_global", "is_pf"),
}  # fmt: skip
"""Common friendly names, for tab completion; a layout may know more."""

EVENT_RECORDS = frozenset(
    ("met", "puppi_met", "raw_met", "calo_met", "tk_met", "gen_met", "pv", "pileup", "generator",
     "beam_spot", "flag")
)  # fmt: skip
"""Objects of which NanoAOD has one an event: ``events.met.pt`` has one value per event."""


class Expr:
    """A quantity to be computed: one value for each event, or each element of a collection.

    Expressions are immutable and hashable; equal expressions are one object. Operators build new
    ones, `formula` prints them, and nothing is computed before an analysis runs.

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
        from html import escape

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
        node = descend(self.node, name)
        if node is None:
            raise AttributeError(f"{self!r} is a value and has no field {name!r}")
        return Expr(node)

    def __dir__(self) -> list[str]:
        last = _last_name(self.node)
        return [*super().__dir__(), *VOCABULARY.get(last, ())]

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

    def __getitem__(self, key: Any) -> Expr:
        raise ExpressionError(
            f"{self.formula}[...]: an expression has no elements before the run. Of an event's "
            "values .first() is the first; element i of a collection is muon.at(i), and its fields "
            "are muon.at(i).pt."
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Expr:
        from flavorframe._expr.operations import OPERATIONS

        name = _UFUNC_NAMES.get(ufunc.__name__, ufunc.__name__)
        if method != "__call__" or options or name not in OPERATIONS:
            raise ExpressionError(
                f"np.{ufunc.__name__} does not work on expressions; use ff.function for it."
            )
        return apply(name, *inputs)

    # arithmetic
    def __add__(self, other: Operand) -> Expr:
        return apply("add", self, other)

    def __radd__(self, other: Operand) -> Expr:
        return apply("add", other, self)

    def __sub__(self, other: Operand) -> Expr:
        return apply("subtract", self, other)

    def __rsub__(self, other: Operand) -> Expr:
        return apply("subtract", other, self)

    def __mul__(self, other: Operand) -> Expr:
        return apply("multiply", self, other)

    def __rmul__(self, other: Operand) -> Expr:
        return apply("multiply", other, self)

    def __truediv__(self, other: Operand) -> Expr:
        return apply("divide", self, other)

    def __rtruediv__(self, other: Operand) -> Expr:
        return apply("divide", other, self)

    def __floordiv__(self, other: Operand) -> Expr:
        return apply("floor_divide", self, other)

    def __rfloordiv__(self, other: Operand) -> Expr:
        return apply("floor_divide", other, self)

    def __mod__(self, other: Operand) -> Expr:
        return apply("remainder", self, other)

    def __rmod__(self, other: Operand) -> Expr:
        return apply("remainder", other, self)

    def __pow__(self, other: Operand) -> Expr:
        return apply("power", self, other)

    def __rpow__(self, other: Operand) -> Expr:
        return apply("power", other, self)

    def __neg__(self) -> Expr:
        return apply("negative", self)

    def __pos__(self) -> Expr:
        return self

    def __abs__(self) -> Expr:
        return apply("absolute", self)

    # comparison
    def __lt__(self, other: Operand) -> Expr:
        return apply("lt", self, other)

    def __le__(self, other: Operand) -> Expr:
        return apply("le", self, other)

    def __gt__(self, other: Operand) -> Expr:
        return apply("gt", self, other)

    def __ge__(self, other: Operand) -> Expr:
        return apply("ge", self, other)

    def __eq__(self, other: Operand) -> Expr:  # type: ignore[override]
        return apply("eq", self, other)

    def __ne__(self, other: Operand) -> Expr:  # type: ignore[override]
        return apply("ne", self, other)

    def between(self, low: Operand, high: Operand, *, closed: str = "left") -> Expr:
        """Return whether low ≤ x < high, like a histogram bin; ``closed`` names the closed ends.

        ``closed`` is "left", "right", "both" or "none". Raises ExpressionError for another word,
        or for numbers the wrong way round.
        """
        if closed not in CLOSED:
            raise ExpressionError(f"closed={closed!r} is not one of {', '.join(CLOSED)}.")
        if _is_number(low) and _is_number(high) and low > high:
            raise ExpressionError(
                f"{brief(self.node)} between {low} and {high} is never true: write the lower end "
                "first."
            )
        return apply(f"between_{closed}", self, low, high)

    def isin(self, *values: n.Value) -> Expr:
        """Return whether the value is one of ``values`` (given one by one, or as one list)."""
        if len(values) == 1 and isinstance(values[0], list | tuple | set | frozenset):
            given = [_literal(value) for value in values[0]]
            values = tuple(sorted(given, key=lambda value: (isinstance(value, str), value)))
        return Expr(n.IsIn(_value(self), tuple(_literal(value) for value in values)))

    # logic of truth values, bits of whole numbers
    def __and__(self, other: Operand) -> Expr:
        return apply("&", self, other)

    def __rand__(self, other: Operand) -> Expr:
        return apply("&", other, self)

    def __or__(self, other: Operand) -> Expr:
        return apply("|", self, other)

    def __ror__(self, other: Operand) -> Expr:
        return apply("|", other, self)

    def __xor__(self, other: Operand) -> Expr:
        return apply("^", self, other)

    def __rxor__(self, other: Operand) -> Expr:
        return apply("^", other, self)

    def __invert__(self) -> Expr:
        return apply("~", self)

    def __lshift__(self, other: Operand) -> Expr:
        return apply("shift_left", self, other)

    def __rlshift__(self, other: Operand) -> Expr:
        return apply("shift_left", other, self)

    def __rshift__(self, other: Operand) -> Expr:
        return apply("shift_right", self, other)

    def __rrshift__(self, other: Operand) -> Expr:
        return apply("shift_right", other, self)

    def bit(self, number: int) -> Expr:
        """Return whether a bit of a whole number is set; bit 0 is the lowest, of 64.

        >>> import flavorframe as ff
        >>> ff.events().gen_part.status_flags.bit(13)
        <bit(gen_part.status_flags, 13), one value per gen_part>
        """
        if not _is_whole(number) or not 0 <= number < 64:
            raise ExpressionError(
                f"{self.formula}: .bit() takes the number of a bit, from 0 to 63, not {number!r}."
            )
        return apply("bit", self, number)

    # names
    def startswith(self, *names: str) -> Expr:
        """Return whether the name starts with one of ``names``."""
        return self._string_test("startswith", names)

    def contains(self, *names: str) -> Expr:
        """Return whether the name contains one of ``names``."""
        return self._string_test("contains", names)

    def matches(self, *patterns: str) -> Expr:
        """Return whether the whole name fits one of the shell patterns (``*``, ``?``, ``[ab]``)."""
        return self._string_test("matches", patterns)

    def _string_test(self, test: str, patterns: tuple[str, ...]) -> Expr:
        if not patterns or not all(isinstance(p, str) for p in patterns):
            raise ExpressionError(f"{test}() takes one or more strings, not {patterns!r}.")
        return Expr(n.StringTest(test, _value(self), patterns))

    # reductions to the event
    def any(self) -> Expr:
        """Return, per event, whether it holds for at least one element."""
        return reduced(self, "any")

    def all(self) -> Expr:
        """Return, per event, whether it holds for every element (true where there is none)."""
        return reduced(self, "all")

    def count(self) -> Expr:
        """Return, per event, for how many elements a condition holds, or how many there are."""
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

    def first(self) -> Expr:
        """Return the value of the first element of each event; missing where there is none."""
        return reduced(self, "first")

    @property
    def found(self) -> Expr:
        """Whether a link points to an element: ``muon.match(pt=...).found``."""
        if not (isinstance(self.node, n.Gather) and _is_element(self.node.operand)):
            raise ExpressionError(f"{brief(self.node)} is not a link made by .at() or .match().")
        return Expr(n.Found(self.node.target, self.node.index))


class Collection(Expr):
    """A list of objects in each event; its fields are expressions with one value per object.

    >>> import flavorframe as ff
    >>> muon = ff.events().muon
    >>> muon[muon.pt > 5].eta
    <muon[muon.pt > 5].eta, one value per muon[muon.pt > 5]>
    """

    __slots__ = ()

    def __getitem__(self, key: str | Expr) -> Expr:
        """Return a branch of this collection by its name, or the elements where a mask holds."""
        if isinstance(key, str):
            return Expr(_on_axis(n.Branch(key, _stored(self.axis)), self.axis))
        return Collection(_subset(self, key))

    def at(self, index: Expr | int) -> Expr:
        """Return the link to the element at ``index``, counted from 0 in each event.

        An index outside the collection, such as −1, points to nothing: values are missing, and
        conditions on them false.
        """
        if not isinstance(index, Expr | int):
            raise ExpressionError(f".at() takes an expression or a whole number, not {index!r}.")
        return Expr(n.Gather(self.node, self.axis, as_node(index)))

    def match(self, **values: Expr) -> Expr:
        """Return the link to the first element whose fields equal the given values bit for bit.

        >>> import flavorframe as ff
        >>> events = ff.events()
        >>> events.muon.match(pt=events.triplet.mu1.pt).is_global
        <muon.match(pt = triplet.mu1.pt).is_global, one value per triplet>
        """
        if not values:
            raise ExpressionError(".match() takes at least one field: muon.match(pt=...).")
        keys = tuple(getattr(self, name).node for name in values)
        match = n.Match(self.axis, keys, tuple(as_node(v) for v in values.values()))
        return Expr(n.Gather(self.node, self.axis, match))

    @property
    def index(self) -> Expr:
        """The index of each element, counted from 0 in each event."""
        return Expr(n.Position(self.axis))

    @property
    def members(self) -> tuple[Expr, ...]:
        """The members of pairs or triples: ``a, b = ff.pairs(muon).members``."""
        combination = self.axis
        base = _whole(combination)
        if not isinstance(base, n.Combination):
            raise ExpressionError(
                f"{brief(self.node)} has no members: it is not made by ff.pairs()."
            )
        return tuple(
            Expr(_on_axis(n.Member(element(parent), base, i), combination))
            for i, parent in enumerate(base.parents)
        )


class Menu:
    """The trigger paths of one level."""

    def __init__(self, menu: str) -> None:
        self._menu = menu

    def fired(self, *patterns: str) -> Expr:
        """Return whether any path fired whose whole name fits one of the shell patterns.

        >>> import flavorframe as ff
        >>> ff.events().hlt.fired("HLT_DoubleMu3_Trk_Tau3mu_v*")
        <HLT_DoubleMu3_Trk_Tau3mu_v* fired, one value per event>
        """
        if not patterns or not all(isinstance(p, str) and p for p in patterns):
            raise ExpressionError(f"fired() takes one or more path names, not {patterns!r}.")
        return Expr(n.Fired(self._menu, patterns))

    def __repr__(self) -> str:
        return f"<trigger menu {self._menu}>"


class Events:
    """The names of a file's contents; a file itself is opened by ``run``.

    ``events.triplet`` is a collection, ``events.run`` a value per event, and
    ``events["AnyBranch"]`` a branch by its name in the file.
    """

    hlt = Menu("hlt")
    l1 = Menu("l1")
    if TYPE_CHECKING:
        run: Expr
        luminosity_block: Expr
        event: Expr
        n_primary_vertices: Expr
        n_pileup: Expr

    def __getattr__(self, name: str) -> Any:
        """Return the event's value or the collection of that name."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name in VOCABULARY["event"] or name in EVENT_RECORDS:
            return Expr(n.Field(n.EVENT, (name,)))
        return Collection(n.Field(n.CollectionAxis(name), ()))

    def __getitem__(self, branch: str) -> Expr:
        """Return a branch by its name in the file."""
        if not isinstance(branch, str):
            raise ExpressionError(f"events[...] takes the name of a branch, not {branch!r}.")
        return Expr(n.Branch(branch, n.DEFERRED))

    def __dir__(self) -> list[str]:
        return ["hlt", "l1", *VOCABULARY["event"], "triplet", "muon", "track"]

    def __repr__(self) -> str:
        return "<events: .triplet, .muon, .track, .hlt, .l1, or ['AnyBranch']>"


def events() -> Events:
    """Return the names from which expressions are built.

    >>> events().triplet.mu1.pt
    <triplet.mu1.pt, one value per triplet>
    """
    return Events()


def as_node(value: Operand) -> n.Node:
    """Return the node of an expression, number, truth value or string.

    Raises ExpressionError for anything else.
    """
    return _value(value) if isinstance(value, Expr) else n.Literal(_literal(value))


def apply(operation: str, *arguments: Operand) -> Expr:
    """Return the expression of an operation.

    Raises ExpressionError where the axes do not join, or the kinds of the values do not go with it.
    """
    node = n.Apply(operation, tuple(as_node(a) for a in arguments))
    refuse_computing_with_strings(node)
    return Expr(decided(node))


def reduced(x: Expr, reduction: str) -> Expr:
    """Return, per event, what a reduction makes of the values; see the methods of `Expr`."""
    if x.axis == n.EVENT:
        raise ExpressionError(
            f"{brief(x.node)} has one value per event already: .{reduction}() has nothing to "
            "reduce."
        )
    if reduction == "count" and _is_element(x.node):
        return Expr(n.Reduce("size", n.Position(x.axis)))
    node = _value(x)
    if reduction not in ("first", "size"):
        refuse_string(node, f"{reduction}({brief(node)})", "reduced")
    return Expr(n.Reduce(reduction, node))


def element(axis: n.Axis) -> n.Node:
    """Return the node that stands for one element of the axis."""
    return _on_axis(n.Field(_whole(axis), ()), axis)


def descend(node: n.Node, name: str) -> n.Node | None:
    """Return the node of a field of what ``node`` stands for, or None where it has none."""
    outer: list[n.Take | n.Gather | n.Member] = []
    while isinstance(node, n.Take | n.Gather | n.Member):
        outer.append(node)
        node = node.operand
    if not isinstance(node, n.Field):
        return None
    field: n.Node = n.Field(node.on, (*node.path, name))
    for each in reversed(outer):
        field = _with_operand(each, field)
    return field


def _with_operand(node: n.Take | n.Gather | n.Member, operand: n.Node) -> n.Node:
    if isinstance(node, n.Take):
        return n.Take(operand, node.subset)
    if isinstance(node, n.Gather):
        return n.Gather(operand, node.target, node.index)
    return n.Member(operand, node.combination, node.position)


def _stored(axis: n.Axis) -> n.Axis:
    stored = _whole(axis)
    if isinstance(stored, n.Combination):
        raise ExpressionError(f"{stored.name} has no branches of its own; ask one of .members.")
    return stored


def _whole(axis: n.Axis) -> n.Axis:
    """Return what the axis is a part of, or a part of a part."""
    return n.lineage(axis)[0]


def _on_axis(node: n.Node, axis: n.Axis) -> n.Node:
    """Take a node that lives on the axis or on one of its parents to the axis."""
    axes = n.lineage(axis)
    first = axes.index(node.axis) if node.axis in axes else 0
    for part in axes[first + 1 :]:
        assert isinstance(part, n.Subset)
        node = n.Take(node, part)
    return node


def _subset(collection: Collection, mask: Expr) -> n.Node:
    if not isinstance(mask, Expr) or mask.axis not in (collection.axis, n.DEFERRED):
        text = brief(mask.node) if isinstance(mask, Expr) else repr(mask)
        raise ExpressionError(
            f"{brief(collection.node)}[{text}]: a sub-collection takes a condition with one value "
            f"per {brief(collection.axis)}, or the name of a branch."
        )
    node = _value(mask)
    refuse_string(node, f"{collection.formula}[...]", "conditions")
    return element(n.Subset(collection.axis, node))


def _value(expression: Expr) -> n.Node:
    """Return the node, refusing a collection or link where a value is wanted."""
    if _is_element(expression.node):
        raise ExpressionError(
            f"{brief(expression.node)} is an object, not a value: ask one of its fields, such as "
            f"{brief(expression.node)}.pt, or write events['Name'] for a branch of that name."
        )
    return expression.node


def _is_element(node: n.Node) -> bool:
    field = n.innermost(node)
    return isinstance(field, n.Field) and not field.path


def _last_name(node: n.Node) -> str:
    field = n.innermost(node)
    if isinstance(field, n.Field):
        return field.path[-1] if field.path else field.on.name
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _literal(value: object) -> n.Value:
    """Return a constant as expressions hold it; raises ExpressionError where it is none."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float | np.floating):
        return float(value)
    if not isinstance(value, int | np.integer) or isinstance(value, np.timedelta64):
        raise ExpressionError(
            f"{type(value).__name__} {value!r} cannot be part of an expression, which takes "
            "expressions, numbers, truth values and strings. Use ff.function for your own "
            "computation over arrays."
        )
    if not -(2**63) <= value < 2**64:
        shown = str(value) if abs(value) < 10**40 else "It"
        raise ExpressionError(
            f"{shown} is no whole number of 64 bits, from −2**63 to 2**64 − 1: write a decimal "
            "number, such as 1e30."
        )
    return int(value)


_UFUNC_NAMES = {
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
