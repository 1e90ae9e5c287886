"""The C++ of each kind of node; how nodes come together in a function is in `body`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from functools import singledispatch
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.logic import complaint
from flavorframe._expr.operations import BITS
from flavorframe.engines._rdataframe.codegen.deferred import AnyDeferred, Deferred, in_turn
from flavorframe.engines._rdataframe.codegen.external import (
    call_correction,
    call_function,
    look_up,
)
from flavorframe.engines._rdataframe.codegen.literals import literal, text
from flavorframe.engines._rdataframe.codegen.models import call_model
from flavorframe.engines._rdataframe.codegen.nested import FULL
from flavorframe.engines._rdataframe.codegen.scope import DEEP, Scope

SPECIAL_CHARACTERS = frozenset("*?[")


@singledispatch
def translate(node: n.Node, scope: Scope) -> Deferred:
    """Write the C++ expression of a node's value for the element of a scope."""
    raise NotImplementedError(type(node))


@translate.register(n.Column)
def _(node: n.Column, scope: Scope) -> Deferred:
    yield from ()
    if isinstance(node.axis, n.StoredLists):
        return f"{scope.inner_list(node)}[{scope.element}]"
    name = scope.body.parameter(node)
    return name if node.axis == n.EVENT else f"{name}[{scope.element}]"


@translate.register(n.Constant)
def _(node: n.Constant, scope: Scope) -> Deferred:
    yield from ()
    return literal(node.value)


@translate.register(n.Apply)
def _(node: n.Apply, scope: Scope) -> Deferred:
    strings = scope.body.setting.comparing_strings
    if node.operation in ("and", "or"):
        function = {"and": "both", "or": "either"}[node.operation]
        sides = sorted(node.arguments, key=strings.__contains__)  # the second is often not needed
        a, b = yield _values(sides, scope)
        if node.height > DEEP:  # many functions inside each other would compile slowly
            return f"flavorframe::{function}_of({a}, {b})"
        return f"flavorframe::{function}([&] {{ return {a}; }}, [&] {{ return {b}; }})"
    arguments = yield _values(node.arguments, scope)
    if node.operation == "where":
        return f"flavorframe::where({', '.join(arguments)})"
    if node.operation in BITS:
        return _logic_or_bits(node, arguments)
    operation = {"not": "not_", "xor": "xor_"}.get(node.operation, node.operation)
    return f"flavorframe::lift(flavorframe::op::{operation}, {', '.join(arguments)})"


@translate.register(n.IsIn)
def _(node: n.IsIn, scope: Scope) -> Deferred:
    strings = any(isinstance(value, str) for value in node.values)
    equal = "x == {}" if strings else "flavorframe::op::eq(x, {})"
    tests = [equal.format(literal(value)) for value in node.values]
    return _tested(tests, (yield scope.deferred_value(node.operand)))


@translate.register(n.StringTest)
def _(node: n.StringTest, scope: Scope) -> Deferred:
    tests = [_string_test(node.test, pattern) for pattern in node.patterns]
    return _tested(tests, (yield scope.deferred_value(node.operand)))


@translate.register(n.Reduce)
def _(node: n.Reduce, scope: Scope) -> Deferred:
    axis = node.operand.axis
    elements = yield scope.elements_of(axis)
    if node.reduction == "size":
        return f"flavorframe::number_of({elements})"
    inner = scope.each(axis, scope.view)
    function = yield inner.deferred_function(node.operand)
    return f"flavorframe::{node.reduction}({elements}, {function})"


@translate.register(n.Category)
def _(node: n.Category, scope: Scope) -> Deferred:
    conditions = yield _values(node.conditions, scope)
    tests = (f"flavorframe::holds({c}) ? {literal(i)} : " for i, c in enumerate(conditions))
    return f"({''.join(tests)}{literal(len(conditions))})"


@translate.register(n.Take)
def _(node: n.Take, scope: Scope) -> Deferred:
    made_of = yield scope.made_of(node.subset)
    parent = scope.parent(node.subset.parent, f"{made_of}[{scope.element}]")
    value: str = yield parent.deferred_value(node.operand)
    return value


@translate.register(n.Member)
def _(node: n.Member, scope: Scope) -> Deferred:
    made_of = yield scope.made_of(node.combination)
    element = f"{made_of}[{scope.element}][{node.position}]"
    parent = scope.parent(node.combination.parents[node.position], element)
    value: str = yield parent.deferred_value(node.operand)
    return value


@translate.register(n.Inner)
def _(node: n.Inner, scope: Scope) -> Deferred:
    value: str = yield scope.parent(node.nested.inner, scope.element).deferred_value(node.operand)
    return value


@translate.register(n.Chain)
def _(node: n.Chain, scope: Scope) -> Deferred:
    body = scope.body
    made_of = yield body.made_of(node.concatenation)
    functions = []
    for parent, operand in zip(node.concatenation.parents, node.operands, strict=True):
        inner = body.scope(parent, scope.view, body.name("i"))
        functions.append((yield inner.deferred_function(operand)))
    return f"flavorframe::of_lists({made_of}[{scope.element}], {', '.join(functions)})"


@translate.register(n.Rank)
def _(node: n.Rank, scope: Scope) -> Deferred:
    return f"{(yield scope.ranks_in(node.order))}[{scope.element}]"


@translate.register(n.FromEnd)
def _(node: n.FromEnd, scope: Scope) -> Deferred:
    return f"({(yield scope.size_of(node.of))} - {node.number}LL)"


@translate.register(n.Position)
def _(node: n.Position, scope: Scope) -> Deferred:
    yield from ()
    return scope.element


@translate.register(n.Match)
def _(node: n.Match, scope: Scope) -> Deferred:
    return f"flavorframe::match({(yield match_arguments(node, scope))})"


@translate.register(n.Gather)
def _(node: n.Gather, scope: Scope) -> Deferred:
    inner = scope.each(node.target, FULL)
    place = yield _place(node, scope)
    return f"flavorframe::gather({place}, {(yield inner.deferred_function(node.operand))})"


@translate.register(n.Found)
def _(node: n.Found, scope: Scope) -> Deferred:
    return f"({(yield _place(node, scope))} >= 0)"


@translate.register(n.FirstCopy)
def _(node: n.FirstCopy, scope: Scope) -> Deferred:
    body = scope.body

    def table() -> Deferred:
        size = yield body.deferred_size(node.axis)
        each = [body.scope(node.axis, FULL, body.name("i")) for _ in range(2)]
        mother = yield each[0].deferred_function(node.mother)
        label = yield each[1].deferred_function(node.label)
        return f"flavorframe::first_copies({size}, {mother}, {label})"

    return f"{(yield body.table(node, table))}[{scope.element}]"


@translate.register(n.IsAncestor)
def _(node: n.IsAncestor, scope: Scope) -> Deferred:
    body, axis = scope.body, node.mother.axis

    def table() -> Deferred:
        inner = body.scope(axis, FULL, body.name("i"))
        size, mother = (
            (yield body.deferred_size(axis)),
            (yield inner.deferred_function(node.mother)),
        )
        return f"flavorframe::mothers({size}, {mother})"

    mothers = yield body.table(node.mother, table)
    above, below = yield _values((node.above, node.below), scope)
    return f"flavorframe::is_ancestor({mothers}, {above}, {below})"


@translate.register(n.Pointing)
def _(node: n.Pointing, scope: Scope) -> Deferred:
    body = scope.body

    def table() -> Deferred:
        axis = node.index.axis
        sizes = yield in_turn(body.deferred_size(each) for each in (node.target, axis))
        each = [body.scope(axis, FULL, body.name("i")) for _ in range(2)]
        index = yield each[0].deferred_function(node.index)
        condition = yield each[1].deferred_function(node.condition, wrap="flavorframe::holds")
        return f"flavorframe::pointing({', '.join((*sizes, index, condition))})"

    return f"{(yield body.table(node, table))}[{scope.element}]"


@translate.register(n.CallFunction)
def _(node: n.CallFunction, scope: Scope) -> Deferred:
    return call_function(node, (yield _values(node.arguments, scope)))


@translate.register(n.CallCorrection)
def _(node: n.CallCorrection, scope: Scope) -> Deferred:
    return call_correction(node, (yield _values(node.arguments, scope)))


@translate.register(n.CallModel)
def _(node: n.CallModel, scope: Scope) -> Deferred:
    return call_model(node, (yield _values(node.arguments, scope)))


@translate.register(n.LumiLookup)
def _(node: n.LumiLookup, scope: Scope) -> Deferred:
    return look_up(node, (yield _values((node.run, node.luminosity_block), scope)))


_LOGIC = {"&": "and_", "|": "or_", "^": "exclusive_or", "~": "negation"}


def _logic_or_bits(node: n.Apply, arguments: list[str]) -> str:
    """Return the C++ of an operator where only the compiler knows the kind of one of its sides."""
    logic, bits = (f"flavorframe::op::{names[node.operation]}" for names in (_LOGIC, BITS))
    message = text(complaint(node))
    return f"flavorframe::logic_or_bits({logic}, {bits}, {message}, {', '.join(arguments)})"


def _values(nodes: Iterable[n.Node], scope: Scope) -> Generator[AnyDeferred, Any, list[str]]:
    return in_turn(scope.deferred_value(node) for node in nodes)


def _place(node: n.Gather | n.Found, scope: Scope) -> Deferred:
    index = yield scope.deferred_value(node.index)
    return f"flavorframe::pointed({index}, {(yield scope.size_of(node.target))})"


def _tested(tests: Sequence[str], value: str) -> str:
    """Return the C++ for whether a value passes one of some tests of x."""
    any_of = " || ".join(tests) or "false"
    return f"flavorframe::lift([](const auto& x) {{ return {any_of}; }}, {value})"


def match_arguments(node: n.Match, scope: Scope) -> Deferred:
    """Write the arguments of the C++ function that follows a link by value."""
    size = yield scope.size_of(node.target)
    values = yield in_turn(scope.named(value) for value in node.values)
    inner = scope.each(node.target, FULL)
    keys = ", ".join((yield _values(node.keys, inner)))
    inside = " ".join([*inner.lines, f"return std::make_tuple({keys});"])
    return (
        f"{scope.lookup(node)}, {size}, [&](flavorframe::Integer {inner.element}) "
        f"{{ {inside} }}, std::make_tuple({', '.join(values)})"
    )


def _string_test(test: str, pattern: str) -> str:
    """Return the C++ for whether the string x passes; most patterns need no pattern matching."""
    if test == "startswith":
        return f"flavorframe::starts(x, {text(pattern)})"
    if test == "contains":
        return f"flavorframe::contains(x, {text(pattern)})"
    if not SPECIAL_CHARACTERS & set(pattern):
        return f"x == {text(pattern)}"
    if pattern.endswith("*") and not SPECIAL_CHARACTERS & set(pattern[:-1]):
        return f"flavorframe::starts(x, {text(pattern[:-1])})"
    return f"flavorframe::matches(x, {text(pattern)})"
