"""Cut strings as ROOT users have them, read by formulate and made into expressions."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

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
from flavorframe._expr.cut_trees import DRAW_REDUCTIONS, ELEMENTWISE, TreeReader
from flavorframe._expr.event import branch_of
from flavorframe._expr.expression import Expr, Operand, apply, as_node
from flavorframe.errors import ExpressionError, did_you_mean, needs

if TYPE_CHECKING:
    from formulate.AST import AST

BIT_OPERATIONS = {"|": "|", "&": "&", "<<": "shift_left", ">>": "shift_right"}
"""Operations by the operators on bits, of which formulate knows nothing."""

RENAMED = {"fabs": "abs", "power": "pow"}
TMATH_CONSTANTS = ("Pi", "TwoPi", "PiOver2", "PiOver4", "InvPi", "E", "Sqrt2", "Ln10", "DegToRad",
                   "RadToDeg")  # fmt: skip
BARE_CONSTANTS = ("pi", "true", "false")
PLACEHOLDER = "name_"


def parse(text: str, /, **names: Operand) -> Expr:
    """Return the expression of a cut string as ``TTree::Draw`` and ``RDataFrame`` take it.

    Understood are arithmetic with ``^`` or ``**`` for powers, comparisons, ``&&``, ``||``, ``!``,
    bits of whole numbers with ``&``, ``|``, ``~``, ``<<``, ``>>``, the usual functions of C++,
    ``std::`` and ``TMath::``, ``Sum$``, ``Min$``, ``Max$``, ``Length$`` and ``x[0]``. Refused is
    what ROOT's own readers, or C++ and Python, understand in two ways, and ``a < b < c``.

    Division by zero gives ±∞, as in C++ (0 in ``TTree::Draw``), bits of a negative number stay
    negative, as in C++ (1.8e19 there), and ``!=`` is false for NaN as everywhere here.

    Args:
        text: The cut string. Names in it are branches of the file.
        names: What other names stand for, as ``SetAlias`` and ``Define`` say.

    Returns:
        An expression with one value for each element of its branches, as in ROOT.

    Raises:
        ExpressionError: The string cannot be read, or in two ways; the text shows the place.

    Example:
        >>> import flavorframe as ff
        >>> ff.parse("abs(Mu01_Eta)<1.2 && Mu01_Pt>3.5")
        <|Mu01_Eta| < 1.2 and Mu01_Pt > 3.5, one value per element of the branch>
        >>> t = ff.events().triplet
        >>> ff.parse("dR12 < 0.8 && Tr_Pt > 1.2", dR12=ff.delta_r(t.mu1, t.mu2))
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
    return Expr(as_node(names[name])) if name in names else branch_of(name)


def _is_variable(tokens: Sequence[Token], i: int) -> bool:
    token = tokens[i]
    return token.kind == "name" and not _is_called(tokens, i) and token.text not in BARE_CONSTANTS


def _is_called(tokens: Sequence[Token], i: int) -> bool:
    return i + 1 < len(tokens) and tokens[i + 1].text == "("


class _Reader:
    """Reads words: operators on bits by itself, the rest by formulate.

    formulate is given a placeholder for each branch, because branches may be called like anything,
    and one more for each part that has been read already.
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
        meant = {places[name]: value for name, value in self._known.items()}
        return TreeReader(self._text, meant).expression(tree)

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
    if token.text in DRAW_REDUCTIONS:
        return token.text
    namespace, _, plain = token.text.rpartition("::")
    if namespace == "TMath" and plain in TMATH_CONSTANTS:
        return token.text
    name = plain.lower() if namespace == "TMath" else plain
    name = RENAMED.get(name, name)
    if namespace not in ("", "std", "TMath") or name not in ELEMENTWISE:
        known = [*ELEMENTWISE, *DRAW_REDUCTIONS]
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
