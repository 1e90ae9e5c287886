"""Nodes of bound trees as C++, one kind after the other."""

from __future__ import annotations

from functools import singledispatch

from flavorframe.engine.rdataframe.body import FULL, Scope
from flavorframe.engine.rdataframe.external import call_correction, call_function
from flavorframe.engine.rdataframe.literals import literal, text
from flavorframe.expr import nodes as n
from flavorframe.expr.kinds import BITS, undecided

SPECIAL_CHARACTERS = frozenset("*?[")


@singledispatch
def translate(node: n.Node, scope: Scope) -> str:
    """Return the C++ expression of a node's value for the element of a scope."""
    raise NotImplementedError(type(node))


@translate.register(n.Column)
def _(node: n.Column, scope: Scope) -> str:
    name = scope.body.parameter(node)
    return name if node.axis == n.EVENT else f"{name}[{scope.element}]"


@translate.register(n.Apply)
def _(node: n.Apply, scope: Scope) -> str:
    if node.operation in ("and", "or"):
        function = {"and": "both", "or": "either"}[node.operation]
        sides = sorted(node.arguments, key=_reads_words)  # the second is often not needed
        a, b = (f"[&] {{ return {scope.value(side)}; }}" for side in sides)
        return f"flavorframe::{function}({a}, {b})"
    arguments = [scope.value(argument) for argument in node.arguments]
    if node.operation == "where":
        return f"flavorframe::where({', '.join(arguments)})"
    if node.operation in BITS:
        return _logic_or_bits(node, arguments)
    operation = {"not": "not_", "xor": "xor_"}.get(node.operation, node.operation)
    return f"flavorframe::lift(flavorframe::op::{operation}, {', '.join(arguments)})"


@translate.register(n.IsIn)
def _(node: n.IsIn, scope: Scope) -> str:
    strings = any(isinstance(value, str) for value in node.values)
    equal = "x == {}" if strings else "flavorframe::op::eq(x, {})"
    tests = " || ".join(equal.format(literal(value)) for value in node.values) or "false"
    return (
        f"flavorframe::lift([](const auto& x) {{ return {tests}; }}, {scope.value(node.operand)})"
    )


@translate.register(n.StringTest)
def _(node: n.StringTest, scope: Scope) -> str:
    tests = " || ".join(_word_test(node.test, pattern) for pattern in node.patterns) or "false"
    return (
        f"flavorframe::lift([](const auto& x) {{ return {tests}; }}, {scope.value(node.operand)})"
    )


@translate.register(n.Reduce)
def _(node: n.Reduce, scope: Scope) -> str:
    axis, body = node.operand.axis, scope.body
    elements = body.elements(axis, scope.view)
    if node.reduction == "size":
        return f"flavorframe::number_of({elements})"
    inner = body.scope(axis, scope.view, body.name("i"))
    return f"flavorframe::{node.reduction}({elements}, {inner.function(node.operand)})"


@translate.register(n.Take)
def _(node: n.Take, scope: Scope) -> str:
    element = f"{scope.body.made_of(node.subset)}[{scope.element}]"
    return scope.parent(node.subset.parent, element).value(node.operand)


@translate.register(n.Member)
def _(node: n.Member, scope: Scope) -> str:
    element = f"{scope.body.made_of(node.combination)}[{scope.element}][{node.position}]"
    return scope.parent(node.combination.parents[node.position], element).value(node.operand)


@translate.register(n.Position)
def _(node: n.Position, scope: Scope) -> str:
    return scope.element


@translate.register(n.Match)
def _(node: n.Match, scope: Scope) -> str:
    return f"flavorframe::match({scope.body.size(node.target)}, {equality(node, scope)})"


@translate.register(n.Gather)
def _(node: n.Gather, scope: Scope) -> str:
    inner = scope.body.scope(node.target, FULL, scope.body.name("i"))
    place = f"flavorframe::pointed({scope.value(node.index)}, {scope.body.size(node.target)})"
    return f"flavorframe::gather({place}, {inner.function(node.operand)})"


@translate.register(n.Found)
def _(node: n.Found, scope: Scope) -> str:
    index, size = scope.value(node.index), scope.body.size(node.target)
    return f"(flavorframe::pointed({index}, {size}) >= 0)"


@translate.register(n.CallFunction)
def _(node: n.CallFunction, scope: Scope) -> str:
    return call_function(node, [scope.value(argument) for argument in node.arguments])


@translate.register(n.CallCorrection)
def _(node: n.CallCorrection, scope: Scope) -> str:
    return call_correction(node, [scope.value(argument) for argument in node.arguments])


_LOGIC = {"&": "and_", "|": "or_", "^": "exclusive_or", "~": "negation"}


def _logic_or_bits(node: n.Apply, arguments: list[str]) -> str:
    """Return the C++ of an operator that has a side of which only its compiler knows the kind."""
    logic, bits = (f"flavorframe::op::{names[node.operation]}" for names in (_LOGIC, BITS))
    complaint = text(undecided(node))
    return f"flavorframe::logic_or_bits({logic}, {bits}, {complaint}, {', '.join(arguments)})"


def _reads_words(node: n.Node) -> bool:
    return any(isinstance(part, n.StringTest) for part in n.walk(node))


def _tested(tests: str, value: str) -> str:
    return f"flavorframe::lift([](const auto& x) {{ return {tests}; }}, {value})"


def equality(node: n.Match, scope: Scope) -> str:
    """Return the C++ function that says whether an element of the target matches this element."""
    values = [scope.named(value) for value in node.values]
    inner = scope.body.scope(node.target, FULL, scope.body.name("i"))
    keys = [inner.value(key) for key in node.keys]
    tests = [f"flavorframe::same({k}, {v})" for k, v in zip(keys, values, strict=True)]
    inside = " ".join([*inner.lines, f"return {' && '.join(tests)};"])
    return f"[&](flavorframe::Integer {inner.element}) {{ {inside} }}"


def _word_test(test: str, pattern: str) -> str:
    """Return the C++ for whether the word x passes; most patterns are plainer than they may be."""
    if test == "startswith":
        return f"flavorframe::starts(x, {text(pattern)})"
    if test == "contains":
        return f"flavorframe::contains(x, {text(pattern)})"
    if not SPECIAL_CHARACTERS & set(pattern):
        return f"x == {text(pattern)}"
    if pattern.endswith("*") and not SPECIAL_CHARACTERS & set(pattern[:-1]):
        return f"flavorframe::starts(x, {text(pattern[:-1])})"
    return f"flavorframe::matches(x, {text(pattern)})"
