"""Hypothesis strategies: random analyses over the vocabulary that both layouts share.

A `Place` is where expressions live: the event, a collection, a part of one, pairs or triples. At
each place there are objects with fields, from which `numbers` and `conditions` are built. Numbers
carry the range in which they mostly lie, so that random thresholds separate something.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

import flavorframe as ff
from flavorframe._expr.expression import Expr
from flavorframe._expr.lumi_tables import LumiTable
from flavorframe._expr.nodes import Field, LumiLookup, is_nested
from flavorframe.analysis import Analysis
from flavorframe.selection import Selection, Weight

EVENTS = ff.events()
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Kind:
    """What an object has: numbers with the ends of their usual range, and truth values."""

    numbers: dict[str, tuple[float, float]]
    truths: tuple[str, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()


_ANGLES = {"eta": (-2.4, 2.4), "phi": (-3.1, 3.1)}
_IDS = ("is_global", "is_pf")
KINDS = {
    "muon": Kind(
        {"pt": (1.0, 12.0), **_ANGLES, "charge": (-1, 1)}, (*_IDS, "is_soft", "is_tracker")
    ),
    "track": Kind(
        {"pt": (1, 12), **_ANGLES, "charge": (-1, 1), "dz": (-20, 20), "dxy": (-0.4, 0.4)}
    ),
    "triplet": Kind(
        {
            "mass": (1.5, 2.2),
            "pt": (1, 20),
            **_ANGLES,
            "charge": (-1, 1),
            "vertex_chi2": (0, 15),
            "pv_ntracks": (0, 40),
            "flight_significance": (0, 8),
        },
        parts=(
            ("mu1", "own muon"),
            ("mu2", "own muon"),
            ("track", "own track"),
            ("refit1", "momentum"),
            ("refit2", "momentum"),
        ),
    ),
    "own muon": Kind(
        {"pt": (1, 12), **_ANGLES, "trigger_dr": (0, 0.05), "charge": (-1, 1)}, _IDS
    ),
    "own track": Kind({"pt": (1, 12), **_ANGLES, "dz": (-20, 20), "charge": (-1, 1)}),
    "momentum": Kind({"pt": (1, 12), **_ANGLES}),
}  # fmt: skip
SCALARS = {"n_primary_vertices": (0, 60), "n_pileup": (0, 60), "luminosity_block": (0, 60)}
WHOLE = {
    "muon": ("flags", "mask", "code", "serial"),
    "own muon": ("flags", "code"),
    "triplet": ("word", "code"),
}
"""Whole numbers that only files of hard numbers have, of all types and sizes."""
WHOLE_SCALARS = ("half", "hash", "seed")
WORDS = {"muon": "label", "own muon": "label"}
EDGES = (0, 1, 2, 3, 8, 200, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1)

extras: ContextVar[tuple[str, ...]] = ContextVar("extras", default=())
"""What the file has beside the shared vocabulary: "whole" numbers, and "words".

A file of "rows" has no lists but its candidates. With "drift" it may lack branches, and each has a
default value.
"""

PRESCALES = LumiTable.of(
    "prescale",
    [(run, first, first + 2 * run) for run in range(15) for first in range(0, 60, 40)],
    [float(value % 20) for value in range(30)],
)

TRIGGERS = (
    EVENTS.hlt.fired("HLT_DoubleMu3_Trk_Tau3mu_v*"),
    EVENTS.hlt.fired("HLT_DoubleMu4_3_Jpsi*", "HLT_Mu8_v*"),
    EVENTS.l1.fired("L1_DoubleMu*", "L1_TripleMu*"),
)


@dataclass(frozen=True)
class Object:
    """Something with fields."""

    expression: Any
    kind: str


@dataclass(frozen=True)
class Place:
    """Where expressions live; the event has no collection and no objects."""

    collection: Any = None
    objects: tuple[Object, ...] = ()

    @property
    def is_nested(self) -> bool:
        return self.collection is not None and is_nested(self.collection.axis)


@dataclass(frozen=True)
class Number:
    """A number; ``rounded`` where mathematical libraries may differ in its last digit."""

    expression: Any
    low: float
    high: float
    rounded: bool = False


EVENT = Place()
EVENT_AXIS = EVENTS.run.axis


# Places


def place_of(name: str) -> Place:
    collection = getattr(EVENTS, name)
    return Place(collection, (Object(collection, name),))


@st.composite
def collections(draw: Draw, depth: int) -> Place:
    """A stored collection, a part of it, the same in another order, or two put together."""
    only = extras.get() == ("rows",)
    place = place_of("triplet" if only else draw(st.sampled_from(("triplet", "muon", "track"))))
    if depth > 0 and draw(st.integers(0, 3)) == 0:
        make = draw(st.sampled_from((part_of, part_of, ordered, put_together)))
        return draw(make(place, depth - 1))
    return place


@st.composite
def part_of(draw: Draw, place: Place, depth: int) -> Place:
    part = place.collection[draw(masks(place, depth))]
    return Place(part, (Object(part, place.objects[0].kind),))


@st.composite
def ordered(draw: Draw, place: Place, depth: int) -> Place:
    """A collection in another order, or the first of it."""
    by = _per_element(draw(exact_numbers(place, depth)).expression, place)
    order = place.collection.sorted(by, descending=draw(st.booleans()))
    if draw(st.integers(0, 2)) == 0:
        order = order.first(draw(st.integers(0, 3)))
    return Place(order, (Object(order, place.objects[0].kind),))


@st.composite
def put_together(draw: Draw, place: Place, depth: int) -> Place:
    """A collection and another one, of whose fields those of momenta are common."""
    other = draw(collections(depth))
    if other.collection is place.collection:
        other = draw(part_of(place, depth))
    together = ff.concatenate(place.collection, other.collection)
    kinds = {place.objects[0].kind, other.objects[0].kind}
    kind = kinds.pop() if len(kinds) == 1 else "momentum"
    return Place(together, (Object(together, kind),))


@st.composite
def combinations(draw: Draw, depth: int) -> Place:
    """Pairs or triples, of one collection or of several."""
    shape = draw(st.sampled_from(("pairs", "pairs", "mixed", "triples", "mixed triples")))
    first = draw(collections(depth))
    if shape in ("pairs", "triples"):
        combined = ff.pairs(first.collection) if shape == "pairs" else ff.triples(first.collection)
        kinds = [first.objects[0].kind] * (2 if shape == "pairs" else 3)
    else:
        second = draw(collections(depth))
        parts = [first, second] if shape == "mixed" else [first, second, first]
        make = ff.pairs if shape == "mixed" else ff.triples
        combined = make(*(p.collection for p in parts))
        kinds = [p.objects[0].kind for p in parts]
    members = zip(combined.members, kinds, strict=True)
    return Place(combined, tuple(Object(member, kind) for member, kind in members))


@st.composite
def places(draw: Draw, depth: int) -> Place:
    """Any place but the event."""
    if depth > 0 and draw(st.integers(0, 4)) == 0:
        place = draw(combinations(depth - 1))
        if draw(st.integers(0, 3)) > 0:
            return place
        part = place.collection[draw(masks(place, depth - 1))]
        kinds = [o.kind for o in place.objects]
        return Place(part, tuple(map(Object, part.members, kinds)))
    return draw(collections(depth))


@st.composite
def nested(draw: Draw, outer: Place, depth: int) -> Place:
    """A list for each element of a place, with what the elements and the outer ones have."""
    inner = draw(collections(depth))
    near = inner.collection.per(outer.collection)
    place = Place(near, (Object(near, inner.objects[0].kind), *outer.objects))
    if draw(st.booleans()):
        part = near[draw(masks(place, depth))]
    elif draw(st.booleans()):
        value = _per_element(draw(exact_numbers(place, depth)).expression, place)
        part = near.sorted(value, descending=draw(st.booleans()))
    else:
        return place
    return Place(part, (Object(part, inner.objects[0].kind), *outer.objects))


@st.composite
def objects(draw: Draw, place: Place, depth: int) -> Object:
    """An object at a place: its own, a part of it, or one that a link leads to."""
    if not place.objects or (depth > 0 and draw(st.integers(0, 4)) == 0):
        return draw(links(place, max(depth - 1, 0)))
    own = draw(st.sampled_from(place.objects))
    parts = KINDS[own.kind].parts
    if parts and draw(st.booleans()):
        name, kind = draw(st.sampled_from(parts))
        return Object(getattr(own.expression, name), kind)
    return own


@st.composite
def links(draw: Draw, place: Place, depth: int) -> Object:
    """The element of a collection that an index or an equal pt leads to."""
    if place.objects and not place.is_nested and draw(st.integers(0, 4)) == 0:
        target = draw(nested(place, min(depth, 1)))
    else:
        target = draw(collections(depth))
    kind = target.objects[0].kind
    if draw(st.integers(0, 5)) == 0:
        return Object(target.collection.at(draw(st.integers(-3, 2))), kind)
    if draw(st.booleans()):
        return Object(target.collection.at(draw(indices(place, depth))), kind)
    value = draw(numbers(place, depth))
    field = draw(st.sampled_from(("pt", "charge")))
    return Object(target.collection.match(**{field: value.expression}), kind)


@st.composite
def indices(draw: Draw, place: Place, depth: int) -> Any:
    """A whole number, small and not always valid, at a place or of the event."""
    if place.collection is not None and draw(st.booleans()):
        index = place.collection.index
    else:
        inner = draw(collections(0))
        number = _per_element(draw(exact_numbers(inner, depth)).expression, inner)
        index = number.argmin() if draw(st.booleans()) else number.argmax()
    return index + draw(st.sampled_from((0, 0, -1, 1)))


# Numbers


@st.composite
def numbers(draw: Draw, place: Place, depth: int) -> Number:
    """A number at a place."""
    if depth <= 0:
        return draw(stored_numbers(place))
    more = (whole_numbers,) * 3 if "whole" in extras.get() else ()
    build = draw(st.sampled_from((*_NUMBERS, *more)))
    return draw(build(place, depth - 1))


@st.composite
def exact_numbers(draw: Draw, place: Place, depth: int) -> Number:
    """A number of which no digit depends on a mathematical library, as ties are broken by them."""
    x = draw(numbers(place, depth))
    return draw(stored_numbers(place)) if x.rounded else x


@st.composite
def stored_numbers(draw: Draw, place: Place) -> Number:
    """A field of an object, or of the event."""
    if not place.objects or draw(st.integers(0, 9)) == 0:
        name = draw(st.sampled_from(sorted(SCALARS)))
        return Number(drifting(getattr(EVENTS, name), SCALARS[name][0]), *SCALARS[name])
    if draw(st.integers(0, 9)) == 0:
        return Number(place.collection.index, 0, 4)
    return draw(fields(draw(objects(place, 0))))


@st.composite
def fields(draw: Draw, owner: Object) -> Number:
    known = KINDS[owner.kind].numbers
    name = draw(st.sampled_from(sorted(known)))
    return Number(drifting(getattr(owner.expression, name), known[name][0]), *known[name])


@st.composite
def looked_up(draw: Draw, place: Place, depth: int) -> Number:
    """A value of a table by lumi section, missing for most; two numbers are run and section."""
    run, section = (draw(exact_numbers(place, depth)).expression for _ in range(2))
    return Number(Expr(LumiLookup(PRESCALES, ff.floor(run).node, ff.floor(section).node)), 0, 20)


@st.composite
def field_numbers(draw: Draw, place: Place, depth: int) -> Number:
    return draw(fields(draw(objects(place, depth))))


@st.composite
def arithmetic(draw: Draw, place: Place, depth: int) -> Number:
    a = draw(numbers(place, depth))
    b = draw(numbers(place, depth) if draw(st.booleans()) else constants(a))
    rounded = a.rounded or b.rounded
    x, y = a.expression, b.expression
    operation = draw(st.sampled_from("+-*/<>"))
    if operation == "+":
        return Number(x + y, a.low + b.low, a.high + b.high, rounded)
    if operation == "-":
        return Number(x - y, a.low - b.high, a.high - b.low, rounded)
    if operation == "*":
        products = [p * q for p in (a.low, a.high) for q in (b.low, b.high)]
        return Number(x * y, min(products), max(products), rounded)
    if operation == "/":
        return Number(x / y, -3, 3, rounded)
    choose = ff.minimum if operation == "<" else ff.maximum
    return Number(choose(x, y), min(a.low, b.low), max(a.high, b.high), rounded)


@st.composite
def whole_numbers(draw: Draw, place: Place, depth: int) -> Number:
    """A whole number of the file, or what comes of several and their bits."""
    if depth <= 0 or draw(st.integers(0, 2)) == 0:
        return draw(stored_whole_numbers(place))
    a = draw(whole_numbers(place, depth - 1)).expression
    if draw(st.integers(0, 5)) == 0:
        return Number(draw(st.sampled_from((~a, -a, abs(a)))), 0, 2**16)
    b = draw(whole_numbers(place, depth - 1)).expression
    if draw(st.booleans()):
        b = draw(st.sampled_from((*EDGES, -1, -2, -(2**63))))
    if draw(st.integers(0, 3)) == 0:
        by = draw(st.sampled_from((0, 1, 5, 31, 63, 64, 70, -1, a & 7, a)))
        return Number(draw(st.sampled_from((a << by, a >> by))), 0, 2**16)
    bits = (a & b, a | b, a ^ b, b & a)
    others = (a + b, a - b, a * b, a // b, a % b, b % a, ff.minimum(a, b), ff.maximum(b, a))
    return Number(draw(st.sampled_from((*bits, *others))), 0, 2**16)


@st.composite
def stored_whole_numbers(draw: Draw, place: Place) -> Number:
    if place.objects and draw(st.integers(0, 5)) > 0:
        owner = draw(objects(place, 0))
        if owner.kind in WHOLE:
            name = draw(st.sampled_from(WHOLE[owner.kind]))
            return Number(getattr(owner.expression, name), 0, 2**16)
        return Number(place.collection.index, 0, 4)
    return Number(of_event(draw(st.sampled_from(WHOLE_SCALARS))), 0, 2**16)


def of_event(name: str) -> Any:
    """Return a value of the event that is not in the vocabulary."""
    return Expr(Field(EVENT_AXIS, (name,)))


@st.composite
def constants(draw: Draw, like: Number) -> Number:
    low, high = min(like.low, like.high), max(like.low, like.high)
    value = draw(st.one_of(st.floats(low, high), st.integers(-3, 5)))
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return Number(ff.sqrt(abs(value)), value, value)
    if kind == 1:
        unit = draw(st.sampled_from((ff.GeV, ff.cm, 0.001 * ff.GeV, 10 * ff.mm)))
        return Number(value * unit, value, value)
    return Number(value, value, value)


@st.composite
def unary(draw: Draw, place: Place, depth: int) -> Number:
    x = draw(numbers(place, depth))
    size = max(abs(x.low), abs(x.high))
    operation = draw(st.sampled_from(("-", "abs", "sqrt", "%", "//", "+")))
    if operation == "-":
        return Number(-x.expression, -x.high, -x.low, x.rounded)
    if operation == "sqrt":
        return Number(ff.sqrt(x.expression), 0, size**0.5, x.rounded)
    if operation in ("abs", "+") or x.rounded:
        return Number(abs(x.expression), 0, size, x.rounded)
    divisor = draw(st.sampled_from((2, -3, 0.5, 1.5)))
    if operation == "%":
        return Number(x.expression % divisor, min(0, divisor), max(0, divisor))
    return Number(x.expression // divisor, -size, size)


@st.composite
def chosen(draw: Draw, place: Place, depth: int) -> Number:
    condition = draw(conditions(place, depth))
    a, b = draw(numbers(place, depth)), draw(numbers(place, depth))
    low, high = min(a.low, b.low), max(a.high, b.high)
    return Number(ff.where(condition, a.expression, b.expression), low, high, a.rounded | b.rounded)


@st.composite
def kinematics(draw: Draw, place: Place, depth: int) -> Number:
    a, b = draw(objects(place, depth)).expression, draw(objects(place, depth)).expression
    what = draw(st.integers(0, 3))
    if what == 0:
        return Number(ff.delta_r(a, b), 0, 4, rounded=True)
    if what == 1:
        return Number(ff.mass(a, b, masses=ff.MUON_MASS), 0, 15, rounded=True)
    p, q = ff.p4(a, mass="mu"), ff.p4(b, mass="pi")
    if what == 2:
        return Number((p + q).in_rest_frame_of(p).energy, 0, 15, rounded=True)
    return Number(draw(st.sampled_from(((p + q).rapidity, p.angle(q)))), -3, 3, rounded=True)


@st.composite
def reduced(draw: Draw, place: Place, depth: int) -> Number:
    """One number of the event, from those of another place, or of an element, from its list."""
    if place.objects and not place.is_nested and draw(st.booleans()):
        return draw(reduced_from(draw(nested(place, min(depth, 1))), depth))
    return draw(reduced_from(draw(places(depth)), depth))


@st.composite
def reduced_from(draw: Draw, inner: Place, depth: int) -> Number:
    if draw(st.booleans()):
        return draw(counts(inner, depth))
    reduction = draw(st.sampled_from(("sum", "min", "max", "first", "argmin", "argmax")))
    x = draw((exact_numbers if reduction.startswith("arg") else numbers)(inner, depth))
    value = _per_element(x.expression, inner)
    low, high = (0, 4) if reduction.startswith("arg") else (x.low, x.high)
    return Number(getattr(value, reduction)(), low, high, x.rounded)


def _per_element(x: Any, place: Place) -> Any:
    """Return a number that has one value per element, never per event or outer element."""
    return x if x.axis == place.collection.axis else x + place.collection.index


@st.composite
def ranked(draw: Draw, place: Place, depth: int) -> Number:
    """The place of each element in an order of its collection."""
    if place.collection is None:
        return draw(stored_numbers(place))
    by = _per_element(draw(exact_numbers(place, depth)).expression, place)
    return Number(place.collection.rank(by, descending=draw(st.booleans())), 0, 4)


@st.composite
def counts(draw: Draw, inner: Place, depth: int) -> Number:
    if draw(st.booleans()):
        return Number(inner.collection.count(), 0, 4)
    reduction = draw(st.sampled_from(("any", "all", "count", "sum")))
    return Number(getattr(draw(masks(inner, depth)), reduction)(), 0, 3)


_NUMBERS = (
    field_numbers, field_numbers, field_numbers, arithmetic, arithmetic, unary, chosen, kinematics,
    reduced, ranked, looked_up,
)  # fmt: skip


# Conditions


@st.composite
def conditions(draw: Draw, place: Place, depth: int) -> Any:
    """A condition at a place."""
    known = _CONDITIONS if depth > 0 else _SIMPLE_CONDITIONS
    more = [*_MORE_CONDITIONS] if "whole" in extras.get() else []
    more += [worded] if "words" in extras.get() else []
    build = draw(st.sampled_from((*known, *more)))
    return draw(build(place, max(depth - 1, 0)))


@st.composite
def masks(draw: Draw, place: Place, depth: int) -> Any:
    """A condition that has one value per element, never per event."""
    condition = draw(conditions(place, depth))
    own = condition.axis == place.collection.axis
    return condition if own else condition & (place.collection.index < 4)


@st.composite
def compared(draw: Draw, place: Place, depth: int) -> Any:
    a = draw(numbers(place, depth))
    b = draw(exact_numbers(place, depth)) if draw(st.integers(0, 3)) == 0 else draw(constants(a))
    x, y = a.expression, b.expression
    comparison = draw(st.sampled_from(("<", ">", "<=", ">=", "==", "!=")))
    return {
        "<": x < y, ">": x > y, "<=": x <= y, ">=": x >= y, "==": x == y, "!=": x != y,
    }[comparison]  # fmt: skip


@st.composite
def between(draw: Draw, place: Place, depth: int) -> Any:
    x = draw(numbers(place, depth))
    a, b = draw(constants(x)), draw(constants(x))
    low, high = sorted((a.low, b.low))
    closed = draw(st.sampled_from(("left", "right", "both", "none")))
    return x.expression.between(low, high, closed=closed)


@st.composite
def is_in(draw: Draw, place: Place, depth: int) -> Any:
    x = draw(stored_numbers(place))
    values = draw(
        st.lists(st.sampled_from((-1, 0, 0.1, 1, 2, 3.5, 5, 1.0)), min_size=1, max_size=3)
    )
    return x.expression.isin(values)


@st.composite
def flags(draw: Draw, place: Place, depth: int) -> Any:
    owner = draw(objects(place, depth))
    names = KINDS[owner.kind].truths
    if not names:
        return draw(st.sampled_from(TRIGGERS))
    return drifting(getattr(owner.expression, draw(st.sampled_from(names))), value=True)


def drifting(x: Any, value: float | bool) -> Any:
    """Return an expression with a default value, where the file may lack some branches."""
    if "drift" not in extras.get():
        return x
    return x.default(value if isinstance(value, bool) else round(value))


@st.composite
def found(draw: Draw, place: Place, depth: int) -> Any:
    return draw(links(place, depth)).expression.found


@st.composite
def logical(draw: Draw, place: Place, depth: int) -> Any:
    a, b = draw(conditions(place, depth)), draw(conditions(place, depth))
    operation = draw(st.sampled_from("&||~^"))
    if operation == "~":
        return ~a
    if operation == "^":
        return a ^ b
    return a & b if operation == "&" else a | b


@st.composite
def bit_is_set(draw: Draw, place: Place, depth: int) -> Any:
    x = draw(whole_numbers(place, depth)).expression
    return draw(st.sampled_from((x.bit(draw(st.integers(0, 63))), (x & 12) != 0, (x & 3) == 1)))


@st.composite
def compared_exactly(draw: Draw, place: Place, depth: int) -> Any:
    """Two numbers of which one may be rounded to the other's type, were it not compared exactly."""
    x = draw(whole_numbers(place, depth)).expression
    y = draw(st.one_of(st.sampled_from((*EDGES, -1, 2.0**53, 2.0**63, 2.0**64, -(2.0**63), 0.5)),
                       st.just(draw(whole_numbers(place, depth)).expression * 1.0),
                       st.just(draw(whole_numbers(place, depth)).expression)))  # fmt: skip
    some = draw(st.lists(st.sampled_from((*EDGES, -1, 2.0**63, 0.5)), min_size=1, max_size=3))
    return draw(st.sampled_from((x < y, x <= y, x > y, x >= y, x == y, x != y, x.isin(some))))


@st.composite
def worded(draw: Draw, place: Place, depth: int) -> Any:
    owner = draw(objects(place, depth))
    word = of_event("label")
    if owner.kind in WORDS:
        word = getattr(owner.expression, WORDS[owner.kind])
    tests = (word.startswith("tight", "µ"), word.contains("medium"), word.matches("*t*m", "?oo*"),
             word.isin("", "Loose"))  # fmt: skip
    return draw(st.sampled_from(tests))


_MORE_CONDITIONS = (bit_is_set, compared_exactly)
_SIMPLE_CONDITIONS = (compared, compared, between, is_in, flags)
_CONDITIONS = (*_SIMPLE_CONDITIONS, logical, logical, logical, found)


# Analyses


@st.composite
def analyses(draw: Draw, depth: int = 2, more: tuple[str, ...] = ()) -> Analysis:
    """A selection of one to five cuts, and histograms and a snapshot of what is left.

    ``more`` is what the file has beside the shared vocabulary, see `extras`.
    """
    extras.set(more)
    place = draw(candidates())
    selection = draw(selections(place, depth))
    loose = selection.has_best or not _weighs_candidates(selection)
    outputs = {"plain": draw(histograms(place, depth, anywhere=loose))}
    if draw(st.booleans()):
        left_out = draw(st.sampled_from(selection.cut_names))
        outputs["others"] = draw(histograms(place, depth, without=left_out))
    if draw(st.booleans()):
        outputs["weighted"] = draw(histograms(place, depth, weight=draw(weights(place))))
    names = [f"column{i}" for i in range(draw(st.integers(1, 3)))]
    columns = {name: draw(column(place, depth)) for name in names}
    return Analysis(selection, rows=ff.snapshot(**columns), **outputs)


@st.composite
def candidates(draw: Draw) -> Place:
    kind = draw(st.integers(0, 9))
    if kind < 5:
        return place_of("triplet")
    if kind == 5:
        return EVENT
    return draw(collections(1)) if kind < 8 else draw(combinations(1))


@st.composite
def selections(draw: Draw, place: Place, depth: int) -> Selection:
    selection = Selection(EVENTS if place is EVENT else place.collection)
    again = draw(recurring(place))
    for number in range(draw(st.integers(1, 5))):
        where = EVENT if draw(st.integers(0, 4)) == 0 else place
        condition = draw(conditions(where, depth))
        if draw(st.integers(0, 2)) == 0:
            condition = condition & again if draw(st.booleans()) else condition | again
        for _ in range(draw(st.integers(0, 2))):  # what few survive, nothing after it tests
            condition = condition | draw(conditions(where, depth))
        if "whole" in extras.get() and draw(st.integers(0, 9)) == 0:
            condition = draw(whole_numbers(where, depth)).expression
        selection = selection.cut(f"cut {number}", condition)
        if draw(st.integers(0, 5)) == 0:
            selection = selection.weight(f"weight {number}", draw(weights(where)))
    if place is not EVENT and draw(st.booleans()):
        value = draw(exact_numbers(place, depth)).expression
        selection = (
            selection.best(lowest=value) if draw(st.booleans()) else selection.best(highest=value)
        )
    return selection


@st.composite
def recurring(draw: Draw, place: Place) -> Any:
    """A condition for several cuts: on the candidates left, and so another one after each cut."""
    if place is EVENT:
        return draw(conditions(place, 1))
    x = draw(reduced_from(place, 0))
    return x.expression > draw(constants(x)).expression


@st.composite
def weights(draw: Draw, place: Place) -> Any:
    x = draw(stored_numbers(place))
    return draw(st.sampled_from((x.expression, abs(x.expression), 1 + 0.01 * x.expression)))


def _weighs_candidates(selection: Selection) -> bool:
    return any(
        isinstance(step, Weight) and step.node.axis.name != "event" for step in selection.steps
    )


@st.composite
def histograms(
    draw: Draw, place: Place, depth: int, *, anywhere: bool = False, **options: Any
) -> Any:
    """A histogram at a place, or, if ``anywhere``, of the event or of another place."""
    if anywhere and draw(st.integers(0, 3)) == 0:
        place = draw(st.one_of(st.just(EVENT), places(1)))
    axes = [draw(axis(place, depth, per_element=not anywhere and place is not EVENT))]
    if draw(st.integers(0, 4)) == 0:
        axes.append(draw(axis(place, 0)))
    if len({a.name for a in axes}) < len(axes):
        axes = axes[:1]
    return ff.hist(*axes, **options)


@st.composite
def axis(draw: Draw, place: Place, depth: int, *, per_element: bool = False) -> Any:
    x = draw(numbers(place, depth))
    value = _per_element(x.expression, place) if per_element else x.expression
    low, high = min(x.low, x.high), max(x.low, x.high, x.low + 1e-3)
    bins = draw(st.integers(1, 12))
    if draw(st.booleans()):
        return ff.axis(value, bins=bins, range=(low, high))
    edges = sorted(draw(st.lists(st.floats(low, high), min_size=2, max_size=6, unique=True)))
    return ff.axis(value, bins=edges)


@st.composite
def column(draw: Draw, place: Place, depth: int) -> Any:
    if draw(st.integers(0, 3)) == 0:
        return draw(conditions(place, depth))
    return draw(numbers(place, depth)).expression
