"""From a cut string's syntax tree, as formulate reads it, to an expression."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, apply, as_node, reduced
from flavorframe.errors import ExpressionError

if TYPE_CHECKING:
    from formulate.AST import AST

OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "pow": "power",
    "lt": "lt", "lte": "le", "gt": "gt", "gte": "ge", "eq": "eq", "neq": "ne",
    "and": "and", "or": "or", "inv": "not",
}  # fmt: skip
"""Operations by the names of formulate's operators."""

ELEMENTWISE = {
    "sqrt": 1, "abs": 1, "exp": 1, "log": 1, "log10": 1, "sin": 1, "cos": 1, "tan": 1,
    "asin": 1, "acos": 1, "atan": 1, "atan2": 2, "sinh": 1, "cosh": 1, "tanh": 1,
    "asinh": 1, "acosh": 1, "atanh": 1, "floor": 1, "ceil": 1, "pow": 2, "min": 2, "max": 2,
}  # fmt: skip
"""Functions of C++ and TMath:: that are understood, with their numbers of arguments."""

OPERATION_OF = {
    "abs": "absolute", "pow": "power", "tmath_min": "minimum", "tmath_max": "maximum",
}  # fmt: skip
"""Operations whose names differ from those of formulate's functions."""

DRAW_REDUCTIONS = {"Sum$": "sum", "Min$": "min", "Max$": "max", "Length$": "size"}
"""Reductions by the names that they have in ``TTree::Draw``."""

CONSTANTS = {
    "pi": math.pi, "tau": 2 * math.pi, "piover2": math.pi / 2, "piover4": math.pi / 4,
    "invpi": 1 / math.pi, "exp1": math.e, "sqrt2": math.sqrt(2), "ln10": math.log(10),
    "deg2rad": math.pi / 180, "rad2deg": 180 / math.pi, "true": True, "false": False,
}  # fmt: skip


class TreeReader:
    """Makes expressions of the trees of one string, in which ``names`` stand for expressions."""

    def __init__(self, text: str, names: Mapping[str, Expr]) -> None:
        self._text, self._names = text, names
        self._made: dict[int, Expr] = {}

    def expression(self, tree: AST) -> Expr:
        """Return the expression of a tree, which may be deep: inner trees are read first."""
        waiting, found = [tree], []
        while waiting:
            found.append(waiting.pop())
            waiting.extend(_inside(found[-1]))
        for each in reversed(found):
            visit: Callable[[Any], Expr] = getattr(self, f"_{type(each).__name__.lower()}")
            self._made[id(each)] = visit(each)
        return self._of(tree)

    def _of(self, tree: AST) -> Expr:
        return self._made[id(tree)]

    def _refuse(self, reason: str) -> NoReturn:
        raise ExpressionError(f"Cut string: {reason}.\n  {self._text}")

    def _literal(self, tree: Any) -> Expr:
        return Expr(as_node(tree.value))

    def _symbol(self, tree: Any) -> Expr:
        if tree.name in CONSTANTS:
            return Expr(n.Literal(CONSTANTS[tree.name]))
        return self._names[tree.name]

    def _unaryoperator(self, tree: Any) -> Expr:
        operand = self._of(tree.operand)
        if tree.operator == "pos":
            return operand
        if tree.operator == "neg":
            return _negative(operand)
        return apply(OPERATORS[tree.operator], operand)

    def _binaryoperator(self, tree: Any) -> Expr:
        left, right = self._of(tree.left), self._of(tree.right)
        if tree.operator == "mod":
            return _remainder(left, right)
        if tree.operator == "div" and _is_whole(left) and _is_whole(right):
            a, b = left.formula, right.formula
            self._refuse(f"{a}/{b} is a fraction in TTree::Draw and a whole number in C++: write "
                         f"{a}./{b}")  # fmt: skip
        return apply(OPERATORS[tree.operator], left, right)

    def _call(self, tree: Any) -> Expr:
        arguments = [self._of(argument) for argument in tree.arguments]
        if tree.function in ("sum", "min", "max", "length"):
            return self._reduction(tree.function, arguments)
        name = tree.function.replace("arc", "a").removeprefix("tmath_")
        if len(arguments) != ELEMENTWISE[name]:
            self._refuse(f"{name} takes {ELEMENTWISE[name]} argument(s), not {len(arguments)}")
        return apply(OPERATION_OF.get(tree.function, tree.function), *arguments)

    def _reduction(self, name: str, arguments: Sequence[Expr]) -> Expr:
        if len(arguments) != 1:
            self._refuse(f"{name.capitalize()}$ takes 1 argument, not {len(arguments)}")
        return reduced(arguments[0], DRAW_REDUCTIONS[f"{name.capitalize()}$"])

    def _matrix(self, tree: Any) -> Expr:
        of_first = len(tree.indices) == 1 and getattr(tree.indices[0], "value", None) == 0
        if not of_first:
            self._refuse(
                "of x[...] only x[0] is known, the first element; for others write "
                "events.muon.at(index)"
            )
        return self._of(tree.var).first()


def _inside(tree: Any) -> tuple[AST, ...]:
    """Return what a tree of formulate's is made of; an index is no expression."""
    if type(tree).__name__ == "Matrix":
        return (tree.var,)
    one_by_one = (getattr(tree, name, None) for name in ("operand", "left", "right"))
    return (*(each for each in one_by_one if each is not None), *getattr(tree, "arguments", ()))


def _negative(operand: Expr) -> Expr:
    if isinstance(operand.node, n.Literal):
        return Expr(as_node(-operand.node.value))  # type: ignore[operator]
    return apply("negative", operand)


def _remainder(a: Expr, b: Expr) -> Expr:
    """Return a modulo b as C++ has it: of the whole parts, with the sign of a."""
    size = apply("remainder", _whole_size(a), _whole_size(b))
    return apply("where", apply("lt", a, 0), apply("negative", size), size)


def _whole_size(x: Expr) -> Expr:
    return x if _is_whole(x) else apply("floor_divide", apply("absolute", x), 1)


def _is_whole(x: Expr) -> bool:
    value = x.node.value if isinstance(x.node, n.Literal) else None
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
