"""Compute the values of a node from those of its parts: one function for each kind of node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import singledispatch
from typing import TYPE_CHECKING

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import kind_of_type, type_of_constant
from flavorframe._expr.logic import operation_on
from flavorframe._expr.operations import BITS, ON_BITS, compute, is_one_of, widen
from flavorframe._rootio.arrays import Array, Content, Lists, Strings
from flavorframe.engines._columnar.blocks import in_blocks
from flavorframe.engines._columnar.calls import call, correct, score
from flavorframe.engines._columnar.descent import count_pointing, first_copies, is_ancestor
from flavorframe.engines._columnar.named import any_named, is_any_named
from flavorframe.engines._columnar.orders import chained
from flavorframe.engines._columnar.segments import first_match, reduce_segments
from flavorframe.engines._columnar.values import Values
from flavorframe.errors import ExpressionError

if TYPE_CHECKING:
    from flavorframe.engines._columnar.view import View


@singledispatch
def compute_node(node: n.Node, view: View) -> Values:
    """Return the values of a node in a view, which gives the values of the node's parts."""
    raise NotImplementedError(type(node))


@compute_node.register(n.Literal)
def _(node: n.Literal, view: View) -> Values:
    return Values(np.asarray(node.value))


@compute_node.register(n.Column)
def _(node: n.Column, view: View) -> Values:
    return view.column(node)


@compute_node.register(n.Constant)
def _(node: n.Constant, view: View) -> Values:
    size = view.size(node.axis)
    if isinstance(node.value, str):
        return Values(Strings(np.zeros(size, np.int32), (node.value,)))
    return Values(np.full(size, node.value, type_of_constant(node.value)))


@compute_node.register(n.Apply)
def _(node: n.Apply, view: View) -> Values:
    return apply(node, view.aligned(node.arguments, node.axis))


def apply(node: n.Apply, values: Sequence[Values]) -> Values:
    """Return the operation's values from those of its arguments."""
    operation = node.operation
    if operation in BITS or operation in ON_BITS:  # as functions may return anything
        kinds = [kind_of_type(np.asarray(v.data).dtype) for v in values]
        operation = operation_on(kinds, node)
    if operation in ("and", "or"):
        return _kleene(operation, *values)
    data = compute(operation, [v.array for v in values])
    if operation == "where":
        return Values(data, _where_valid(*values))
    return Values(data, _both_valid(v.valid for v in values))


@compute_node.register(n.IsIn)
def _(node: n.IsIn, view: View) -> Values:
    values = view.evaluate(node.operand)
    if isinstance(values.data, Strings):
        return Values(_test_categories(values.data, set(node.values).__contains__), values.valid)
    return Values(is_one_of(values.array, node.values), values.valid)  # type: ignore[arg-type]


@compute_node.register(n.StringTest)
def _(node: n.StringTest, view: View) -> Values:
    values = view.evaluate(node.operand)
    return Values(_test_strings(node, values.data), values.valid)


@compute_node.register(n.Reduce)
def _(node: n.Reduce, view: View) -> Values:
    if is_any_named(node, view):
        return _any_named(node, view)
    axis = node.operand.axis
    many = in_blocks(node, axis, view)
    if many is not None:
        return many
    values, elements = view.spread(node.operand, axis), view.elements(axis)
    local = elements.local if node.reduction.startswith("arg") else None
    return reduce_segments(node.reduction, values, elements.owner, local, len(elements.counts))


@compute_node.register(n.Category)
def _(node: n.Category, view: View) -> Values:
    numbers = np.full(view.size(node.axis), len(node.conditions))
    for number, condition in reversed([*enumerate(node.conditions)]):
        numbers[view.spread(condition, node.axis).truth()] = number
    return Values(numbers)


@compute_node.register(n.Take)
def _(node: n.Take, view: View) -> Values:
    kept, operand = view.elements(node.subset).parents[0], node.operand
    if isinstance(operand, n.Inner) and operand not in view.facts.shared:
        places = view.elements(operand.nested).parents[0].take(kept)  # not of all pairs first
        return view.spread(operand.operand, operand.nested.inner)[places]
    return view.spread(operand, node.subset.parent)[kept]


@compute_node.register(n.Member)
def _(node: n.Member, view: View) -> Values:
    values = view.spread(node.operand, node.combination.parents[node.position])
    return values[view.elements(node.combination).parents[node.position]]


@compute_node.register(n.Inner)
def _(node: n.Inner, view: View) -> Values:
    values = view.spread(node.operand, node.nested.inner)
    return values[view.elements(node.nested).parents[0]]


@compute_node.register(n.Chain)
def _(node: n.Chain, view: View) -> Values:
    parents = node.concatenation.parents
    values = [view.spread(*each) for each in zip(node.operands, parents, strict=True)]
    return chained(values)[view.elements(node.concatenation).parents[0]]


@compute_node.register(n.Rank)
def _(node: n.Rank, view: View) -> Values:
    where = view.view_of_lists(node.order)
    order = where.elements(node.order)
    ranks = np.empty(len(order), np.int64)
    ranks[order.parents[0]] = order.local
    return Values(ranks if where is view else ranks[view.elements(node.axis).full])


@compute_node.register(n.FromEnd)
def _(node: n.FromEnd, view: View) -> Values:
    lists, asked = view.lists_asked(node.of, node.axis)
    return Values(lists.counts.take(asked) - node.number)


@compute_node.register(n.Position)
def _(node: n.Position, view: View) -> Values:
    return Values(view.elements(node.axis).local)


@compute_node.register(n.Match)
def _(node: n.Match, view: View) -> Values:
    many = in_blocks(node, node.target, view)
    if many is not None:
        return many
    where = view.view_of_lists(node.target)
    keys = [where.spread(key, node.target).array for key in node.keys]
    values = [view.spread(value, node.axis) for value in node.values]
    pairs = [_same_precision(k, v.array) for k, v in zip(keys, values, strict=True)]
    targets, asked = view.lists_asked(node.target, node.axis)
    found, number = first_match(
        [k for k, _ in pairs], [v for _, v in pairs],
        targets.starts.take(asked), targets.counts.take(asked),
    )  # fmt: skip
    valid = _both_valid(v.valid for v in values)
    view.note_matches(node, number if valid is None else np.where(valid, number, 0))
    return Values(found, found >= 0 if valid is None else valid & (found >= 0))


@compute_node.register(n.Gather)
def _(node: n.Gather, view: View) -> Values:
    many = in_blocks(node, node.target, view)
    if many is not None:
        return many
    position, valid = _point(view, node)
    operand = view.view_of_lists(node.target).spread(node.operand, node.target)
    if len(operand.data) == 0:
        return Values(_zeros_like(operand.data, len(position)), valid)
    gathered = operand[position]
    return Values(gathered.data, _both_valid((gathered.valid, valid)))


@compute_node.register(n.Found)
def _(node: n.Found, view: View) -> Values:
    many = in_blocks(node, node.target, view)
    return Values(_point(view, node)[1]) if many is None else many


@compute_node.register(n.FirstCopy)
def _(node: n.FirstCopy, view: View) -> Values:
    whole, axis = view.whole, node.axis
    mother, valid = _point(whole, n.Found(axis, node.mother))
    label, elements = whole.spread(node.label, axis), whole.elements(axis)
    is_copy = valid & (label.array == label.array[mother])
    if label.valid is not None:
        is_copy &= label.valid & label.valid[mother]
    found, valid = first_copies(mother, is_copy)
    values = Values(found - elements.starts.take(whole.event_of(axis)), valid)
    return values[view.elements(axis).full]


@compute_node.register(n.IsAncestor)
def _(node: n.IsAncestor, view: View) -> Values:
    target = node.mother.axis
    above, has_above = _find_point(view, target, node.above, node.axis)
    below, has_below = _find_point(view, target, node.below, node.axis)
    mother, has_mother = _point(view.whole, n.Found(target, node.mother))
    most = int(view.whole.elements(target).counts.max(initial=0))
    found = is_ancestor(above, below, mother, has_mother, most)
    return Values(found & has_above & has_below)


@compute_node.register(n.Pointing)
def _(node: n.Pointing, view: View) -> Values:
    whole = view.whole
    position, valid = _point(whole, n.Found(node.target, node.index))
    counted = valid & whole.spread(node.condition, node.index.axis).truth()
    counts = count_pointing(position, counted, len(whole.elements(node.target)))
    return Values(counts[view.elements(node.target).full])


@compute_node.register(n.CallFunction)
def _(node: n.CallFunction, view: View) -> Values:
    values = [view.spread(a, node.axis) for a in node.arguments]
    arrays = [np.array(widen(v.numbers())) for v in values]  # its own, should it write into them
    return Values(call(node, arrays), _both_valid(v.valid for v in values))


@compute_node.register(n.CallCorrection)
def _(node: n.CallCorrection, view: View) -> Values:
    return _where_known(node, view, lambda known: correct(node, [v.data for v in known]))


@compute_node.register(n.CallModel)
def _(node: n.CallModel, view: View) -> Values:
    return _where_known(node, view, lambda known: score(node, [v.array for v in known]))


def _where_known(
    node: n.CallCorrection | n.CallModel, view: View, compute: Callable[[list[Values]], Array]
) -> Values:
    """Return what is computed of the arguments where none is missing; it is missing elsewhere."""
    values = view.aligned(node.arguments, node.axis)
    valid = _both_valid(v.valid for v in values)
    data = np.full(view.size(node.axis), np.nan)
    rows = np.arange(len(data)) if valid is None else np.flatnonzero(valid)
    if len(rows):
        data[rows] = compute([v[rows] for v in values])
    return Values(data, valid)


@compute_node.register(n.LumiLookup)
def _(node: n.LumiLookup, view: View) -> Values:
    runs, sections = view.aligned((node.run, node.luminosity_block), node.axis)
    valid = _both_valid((runs.valid, sections.valid))
    place = node.table.places(runs.array, sections.array)
    values = node.table.value_of_range
    if values is None:
        return Values(place >= 0, valid)
    return Values(values[place], _both_valid((valid, place >= 0)))


def _any_named(node: n.Reduce, view: View) -> Values:
    test, condition = node.operand.children()
    assert isinstance(test, n.StringTest)
    assert isinstance(test.operand, n.Column)
    names = view.columns.lists(test.operand, view.events)
    assert isinstance(names, Lists)
    return Values(any_named(condition, _test_strings(test, names.content), names, view))


def _test_strings(node: n.StringTest, values: Content) -> Array:
    if not isinstance(values, Strings):
        raise ExpressionError(f"{brief(node)}: {brief(node.operand)} is not a string.")
    test = STRING_TESTS[node.test]
    return _test_categories(values, lambda value: any(test(value, p) for p in node.patterns))


def _point(view: View, link: n.Gather | n.Found) -> tuple[Array, Array]:
    """Return the positions of what a link points to, in its view, and where it does."""
    found = view.points.get((link.target, link.index))
    if found is None:
        found = _find_point(view, link.target, link.index, link.axis)
        view.points[link.target, link.index] = found
    return found


def _find_point(view: View, target: n.Axis, index: n.Node, axis: n.Axis) -> tuple[Array, Array]:
    values = view.spread(index, axis)
    targets, asked = view.lists_asked(target, axis)
    local = np.asarray(values.data)
    valid = (local >= 0) & (local < targets.counts.take(asked))  # which NaN is neither
    if values.valid is not None:
        valid &= values.valid
    offset = local if local.dtype.kind == "i" else np.where(valid, local, 0).astype(np.int64)
    return np.where(valid, targets.starts.take(asked) + offset, 0), valid


STRING_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "contains": str.__contains__,
    "matches": fnmatchcase,
}


def _test_categories(strings: Strings, test: Callable[[str], bool]) -> Array:
    holds = np.fromiter(map(test, strings.categories), bool, len(strings.categories))
    if not len(holds):
        return np.zeros(len(strings), bool)
    return holds[strings.codes]


def _both_valid(masks: Iterable[Array | None]) -> Array | None:
    valid: Array | None = None
    for mask in masks:
        if mask is not None:
            valid = mask if valid is None else valid & mask
    return valid


def _where_valid(condition: Values, a: Values, b: Values) -> Array | None:
    if condition.valid is None and a.valid is None and b.valid is None:
        return None
    holds = condition.truth()
    chosen = np.where(holds, _validity(a), _validity(b))
    return chosen & _validity(condition)


def _validity(values: Values) -> Array:
    return np.ones((), bool) if values.valid is None else values.valid


def _kleene(operation: str, a: Values, b: Values) -> Values:
    """Return a and b, or a or b, where a missing value is neither true nor false."""
    data = compute(operation, [a.array, b.array])
    if a.valid is None and b.valid is None:
        return Values(data)
    settles = (lambda v: v.truth()) if operation == "or" else _false
    valid = (_validity(a) & _validity(b)) | settles(a) | settles(b)
    return Values(a.truth() | b.truth() if operation == "or" else data & valid, valid)


def _false(values: Values) -> Array:
    return ~Values(values.data).truth() & _validity(values)


def _same_precision(key: Array, value: Array) -> tuple[Array, Array]:
    """Return both as floats of single precision where either is stored so."""
    if np.float32 in (key.dtype, value.dtype):
        return key.astype(np.float32), value.astype(np.float32)
    return key, value


def _zeros_like(data: Content, size: int) -> Content:
    if isinstance(data, Strings):
        return Strings(np.zeros(size, np.int32), data.categories)
    return np.zeros(size, data.dtype)
