"""Cut strings as ROOT users have them, read by formulate and made into expressions."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from flavorframe._expr import nodes as n
from flavorframe._expr.cut_tokens import (
    BITS,
    COMPARISONS,
    LEVELS,
    LOGIC,
    POWERS,
    Token,
    refuse,
    tokens_of,
)
from flavorframe._expr.expression import Expr, Operand, apply, as_node, events, reduced
from flavorframe.errors import ExpressionError, did_you_mean, needs

if TYPE_CHECKING:
    from formulate.AST import AST

OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "pow": "power",
    "lt": "lt", "lte": "le", "gt": "gt", "gte": "ge", "eq": "eq", "neq": "ne",
    "and": "and", "or": "or", "inv": "not",
}  # fmt: skip
"""Formulate's operators, and ours."""
BIT_OPERATIONS = {"|": "|", "&": "&", "<<": "shift_left", ">>": "shift_right"}
"""Operators of which formulate knows nothing, and our operations."""

ELEMENTWISE = {
    "sqrt": 1, "abs": 1, "exp": 1, "log": 1, "log10": 1, "sin": 1, "cos": 1, "tan": 1,
    "asin": 1, "acos": 1, "atan": 1, "atan2": 2, "sinh": 1, "cosh": 1, "tanh": 1,
    "asinh": 1, "acosh": 1, "atanh": 1, "floor": 1, "ceil": 1, "pow": 2, "min": 2, "max": 2,
}  # fmt: skip
"""Functions of C++ and of TMath:: that there are, and how many arguments each takes."""

RENAMED = {"fabs": "abs", "power": "pow"}
OPERATION_OF = {
    "abs": "absolute", "pow": "power", "tmath_min": "minimum", "tmath_max": "maximum",
}  # fmt: skip
"""Functions by formulate's names that are called otherwise here."""

REDUCTIONS = {"Sum$": "sum", "Min$": "min", "Max$": "max", "Length$": "size"}
CONSTANTS = {
    "pi": math.pi, "tau": 2 * math.pi, "piover2": math.pi / 2, "piover4": math.pi / 4,
    "invpi": 1 / math.pi, "exp1": math.e, "sqrt2": math.sqrt(2), "ln10": math.log(10),
    "deg2rad": math.pi / 180, "rad2deg": 180 / math.pi, "true": True, "false": False,
}  # fmt: skip
TMATH_CONSTANTS = ("Pi", "TwoPi", "PiOver2", "PiOver4", "InvPi", "E", "Sqrt2", "Ln10", "DegToRad",
                   "RadToDeg")  # fmt: skip
BARE_CONSTANTS = ("pi", "true", "false")
PLACEHOLDER = "name_"


def parse(text: str, /, **names: Operand) -> Expr:
    """Return the expression of a cut string as ``TTree::Draw`` and ``RDataFrame`` take it.

    Names in it are branches of the file, or what ``names`` gives for them, as ``SetAlias`` and
    ``Define`` do. It has one value for each element of its branches, like them. Understood are
    arithmetic with ``^`` or ``**`` for powers, comparisons, ``&&``, ``||``, ``!``, bits of whole
    numbers with ``&``, ``|``, ``~``, ``<<``, ``>>``, the usual functions of C++, ``std::`` and
    ``TMath::``, ``Sum$``, ``Min$``, ``Max$``, ``Length$`` and ``x[0]``. Refused is what ROOT's own
    readers, or C++ and Python, understand in two ways, and ``a < b < c``.

    Division by zero gives ±∞, as in C++ (0 in ``TTree::Draw``), bits of a negative number stay
    negative, as in C++ (1.8e19 there), and ``!=`` is false for NaN as everywhere here. Raises
    ExpressionError, which shows the place in the string.

    >>> parse("abs(Mu01_Eta)<1.2 && Mu01_Pt>3.5")
    <|Mu01_Eta| < 1.2 and Mu01_Pt > 3.5, one value per element of the branch>
    >>> from flavorframe import delta_r
    >>> t = events().triplet
    >>> parse("dR12 < 0.8 && Tr_Pt > 1.2", dR12=delta_r(t.mu1, t.mu2))
    <ΔR(triplet.mu1, triplet.mu2) < 0.8 and Tr_Pt > 1.2, one value per triplet>
    """
    if not isinstance(text, str):
        raise ExpressionError(f"ff.parse takes a cut string, not {text!r}.")
    tokens = tokens_of(text)
    variables = [t for i, t in enumerate(tokens) if _is_variable(tokens, i)]
    if not variables:
        raise ExpressionError(f"Cut string: there is no branch in {text!r}.")
    known = {t.text: _named(t.text, names) for t in variables}
    return _Reader(text, known).read(tokens)


def _named(name: str, names: Mapping[str, Operand]) -> Expr:
    return Expr(as_node(names[name])) if name in names else events()[name]


def _is_variable(tokens: Sequence[Token], i: int) -> bool:
    token = tokens[i]
    return token.kind == "name" and not _is_called(tokens, i) and token.text not in BARE_CONSTANTS


def _is_called(tokens: Sequence[Token], i: int) -> bool:
    return i + 1 < len(tokens) and tokens[i + 1].text == "("


class _Reader:
    """Reads words: bits by itself, the rest by formulate, its branches under names of no meaning.

    What has been read of bits stands among the other words as one more name.
    """

    def __init__(self, text: str, names: Mapping[str, Expr]) -> None:
        self._text, self._known = text, dict(names)

    def read(self, tokens: Sequence[Token]) -> Expr:
        """Return the expression of the words; raises ExpressionError where they have no meaning."""
        groups: list[list[Token]] = [[]]
        for token in tokens:
            if token.text in ("(", "["):
                groups.append([token])
            elif token.text in (")", "]"):
                opened, *inside = groups.pop()
                groups[-1] += [opened, *self._without_bits(inside), token]
            else:
                groups[-1].append(token)
        return self._plain(self._without_bits(groups.pop()))

    def _plain(self, tokens: Sequence[Token]) -> Expr:
        places = {name: f"{PLACEHOLDER}{i}" for i, name in enumerate(self._known)}
        tree = _read(self._text, tokens, places)
        return _Walker(self._text, {places[k]: v for k, v in self._known.items()}).walk(tree)

    def _without_bits(self, tokens: Sequence[Token]) -> list[Token]:
        """Return words with a name for what has bits; in brackets among them there are none."""
        if not any(token.text in BITS for token in tokens):
            return list(tokens)
        inverted = self._inverted(tokens)
        return [word for run in _split(inverted, LOGIC | COMPARISONS) for word in self._bits(run)]

    def _bits(self, run: Sequence[Token], levels: Sequence[Container[str]] = LEVELS) -> list[Token]:
        """Return a run, or a name for it where it has operators, of which the loosest come last."""
        if not levels:
            return list(run)
        first, *others = _split(run, levels[0])
        if not others:
            return self._bits(run, levels[1:])
        operators, sides = [part[0] for part in others[::2]], [first, *others[1::2]]
        values = [self._side(operators[max(i - 1, 0)], self._bits(side, levels[1:]))
                  for i, side in enumerate(sides)]  # fmt: skip
        value = values[0]
        for operator, right in zip(operators, values[1:], strict=True):
            value = apply(BIT_OPERATIONS[operator.text], value, right)
        return [self._name(operators[0], value)]

    def _side(self, operator: Token, side: Sequence[Token]) -> Expr:
        if not side:
            refuse(self._text, operator.start, f"beside {operator.text} something is missing")
        return self._plain(side)

    def _inverted(self, tokens: Sequence[Token]) -> list[Token]:
        """Return words with a name for each ~ and what it inverts, the last one first."""
        done: list[Token] = []
        for token in reversed(tokens):
            done.insert(0, token)
            if token.text == "~":
                size = _size_of_factor(done[1:])
                if not size:
                    refuse(self._text, token.start, "~ takes a name or brackets")
                if size < len(done) - 1 and done[size + 1].text in POWERS:
                    reason = "brackets must say whether ~ comes before the power or after it"
                    refuse(self._text, token.start, reason)
                value = apply("~", self._plain(done[1 : size + 1]))
                done[: size + 1] = [self._name(token, value)]
        return done

    def _name(self, operator: Token, value: Expr) -> Token:
        name = f"{operator.text}{len(self._known)}"  # which no branch is called
        self._known[name] = value
        return Token(name, "name", operator.start)


def _split(tokens: Sequence[Token], ends: Container[str]) -> Iterator[list[Token]]:
    """Yield what stands between some words outside of brackets, and these words."""
    part: list[Token] = []
    for word in _words(tokens):
        if len(word) == 1 and word[0].text in ends:
            yield from (part, word)
            part = []
        else:
            part += word
    yield part


def _words(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the words, those in brackets with these as one."""
    depth, word = 0, list[Token]()
    for token in tokens:
        word.append(token)
        depth += (token.text in "([") - (token.text in ")]")
        if depth == 0:
            yield word
            word = []


def _size_of_factor(tokens: Sequence[Token]) -> int:
    """Return how many words a name, number or bracket takes, with arguments and index after it."""
    words = list(_words(tokens))
    if not words or (words[0][0].kind == "operator" and words[0][0].text != "("):
        return 0
    size = len(words[0])
    for word in words[1:]:
        if word[0].text not in ("(", "["):
            break
        size += len(word)
    return size


def _read(text: str, tokens: Sequence[Token], places: Mapping[str, str]) -> AST:
    """Have formulate read words, in which names have a place each."""
    try:
        import formulate
    except ImportError as error:
        raise ExpressionError(needs("ff.parse", "formulate", "parse")) from error
    words = [
        _function(text, token) if token.kind == "name" and _is_called(tokens, i)
        else _variable(text, token, places) if _is_variable(tokens, i) else token.text
        for i, token in enumerate(tokens)
    ]  # fmt: skip
    end = tokens[-1].end if tokens else len(text)
    try:
        return formulate.from_root(" ".join(words))
    except formulate.ParseError as error:
        place = _place(getattr(error.__cause__, "column", 0) - 1, words, tokens, end)
    except (SyntaxError, ValueError) as error:
        raise ExpressionError(f"Cut string: {error}\n  {text}") from None
    return refuse(text, place, "it cannot go on like this here")


def _variable(text: str, token: Token, places: Mapping[str, str]) -> str:
    if token.text.endswith("$") or "::" in token.text:
        refuse(text, token.start, f"{token.text} has no meaning here without a branch in brackets")
    return places[token.text]


def _function(text: str, token: Token) -> str:
    """Return the name by which formulate knows a function; raises ExpressionError for others."""
    if token.text in REDUCTIONS:
        return token.text
    namespace, _, plain = token.text.rpartition("::")
    if namespace == "TMath" and plain in TMATH_CONSTANTS:
        return token.text
    name = plain.lower() if namespace == "TMath" else plain
    name = RENAMED.get(name, name)
    if namespace not in ("", "std", "TMath") or name not in ELEMENTWISE:
        known = [*ELEMENTWISE, *REDUCTIONS]
        near = did_you_mean(plain, [*known, *TMATH_CONSTANTS])
        near = near or f" There are {', '.join(known)} and TMath:: constants."
        reason = f"there is no function {token.text}.{near} For others, use ff.function"
        refuse(text, token.start, reason)
    return f"TMath::{name}" if name in ("min", "max") else name


def _place(column: int, words: Sequence[str], tokens: Sequence[Token], end: int) -> int:
    """Return where in the string the word at a column of the joined words stands."""
    start = 0
    for word, token in zip(words, tokens, strict=True):
        if 0 <= column <= start + len(word):
            return token.start
        start += len(word) + 1
    return end


class _Walker:
    """Makes expressions of formulate's tree."""

    def __init__(self, text: str, names: Mapping[str, Expr]) -> None:
        self._text, self._names = text, names
        self._made: dict[int, Expr] = {}

    def walk(self, tree: AST) -> Expr:
        """Return the expression of a tree, which may be deep: of what is inside first."""
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
        return reduced(arguments[0], REDUCTIONS[f"{name.capitalize()}$"])

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
