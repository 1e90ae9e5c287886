"""The words of a ROOT cut string, and what is refused in them because it has two meanings."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, NoReturn

from flavorframe.errors import ExpressionError

TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\w*)"
    r"|(?P<name>[^\W\d]\w*(?:(?:::|\.)[^\W\d]\w*)*\$?)"
    r"|(?P<operator>&&|\|\||<<|>>|<=|>=|==|!=|\*\*|[-+*/%^<>!()\[\],?:&|~=])"
    r"|(?P<string>\"[^\"]*\"?|'[^']*'?)"
    r"|(?P<other>\S)"
)
NUMBER = re.compile(
    r"(?:0|[1-9]\d*|\d*\.\d+|\d+\.\d*|\d+(?:\.\d*)?[eE][-+]?\d+|\.\d+[eE][-+]?\d+)$"
)

COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!="))
POWERS = frozenset(("^", "**"))
PRODUCTS = frozenset(("*", "/", "%"))
LOGIC = frozenset(("&&", "||", ","))
BINARY = COMPARISONS | POWERS | PRODUCTS | LOGIC | {"+", "-", "|", "&", "<<", ">>"}

LEVELS = (("|",), ("&",), ("<<", ">>"))
"""Operators on bits, the loosest first."""
BITS = frozenset(("|", "&", "<<", ">>", "~"))
BETWEEN = frozenset(("|", "&"))
SHIFTS = frozenset(("<<", ">>"))
BESIDE_SHIFTS = SHIFTS | COMPARISONS | {"+", "-", "/", "%"}
"""What C++ and Python, or C++ and ROOT, take in another order beside one another."""

REFUSED = {
    "?": "write a choice with ff.where(condition, a, b) instead of condition ? a : b",
    ":": "it separates several expressions of TTree::Draw; parse each by itself",
    "=": "equality is ==",
}
WORDS = {"and": "&&", "or": "||", "not": "!"}


class Token(NamedTuple):
    """A word of the string, its kind and where it begins."""

    text: str
    kind: str
    start: int

    @property
    def end(self) -> int:
        """Where the next word may begin."""
        return self.start + len(self.text)


def refuse(text: str, place: int, reason: str) -> NoReturn:
    """Raise ExpressionError that shows the place in the string."""
    raise ExpressionError(f"Cut string: {reason}.\n  {text}\n  {' ' * place}^")


def tokens_of(text: str) -> list[Token]:
    """Return the words of a cut string that can have only one meaning.

    Raises ExpressionError, which shows the place, for anything else.
    """
    text_tokens = [
        Token(match[0], str(match.lastgroup), match.start()) for match in TOKEN.finditer(text)
    ]
    if not text_tokens:
        raise ExpressionError("Cut string: it is empty.")
    for token in text_tokens:
        _check_word(text, token)
    for group in _groups(text, text_tokens):
        _check_group(text, group)
    return text_tokens


def _check_word(text: str, token: Token) -> None:
    if token.kind == "string":
        hint = "names are tested with events['...'].matches('...') or .isin('...')"
        refuse(text, token.start, f"it compares with the string {token.text}; {hint}")
    if token.kind == "other":
        refuse(text, token.start, f"{token.text!r} has no meaning in it")
    if token.kind == "number" and not NUMBER.match(token.text):
        refuse(text, token.start, f"write {token.text} as a plain decimal number, such as 0.03")
    if token.kind == "number" and float(token.text) == math.inf:
        refuse(text, token.start, f"{token.text} is larger than any number")
    if token.text in REFUSED:
        refuse(text, token.start, f"{token.text!r}: {REFUSED[token.text]}")
    if token.text in WORDS:
        refuse(text, token.start, f"write {WORDS[token.text]} instead of {token.text!r}")


def _groups(text: str, tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield what stands between each pair of brackets, what is in inner ones as one word."""
    groups: list[list[Token]] = [[]]
    opened: list[Token] = []
    for token in tokens:
        if token.text in ("(", "["):
            opened.append(token)
            groups.append([])
        elif token.text in (")", "]"):
            if not opened or opened[-1].text + token.text not in ("()", "[]"):
                refuse(text, token.start, f"{token.text!r} closes no bracket")
            begin = opened.pop()
            yield groups.pop()
            groups[-1].append(Token(text[begin.start : token.end], "brackets", begin.start))
        else:
            groups[-1].append(token)
    if opened:
        refuse(text, opened[-1].start, f"{opened[-1].text!r} is not closed")
    yield groups.pop()


def _check_group(text: str, group: list[Token]) -> None:
    binary = [
        i
        for i, token in enumerate(group)
        if i and token.text in BINARY and group[i - 1].kind != "operator"
    ]
    for part in _runs(group, binary, LOGIC):
        _check_bits(text, group, part)
        chain = [i for i in part if group[i].text in COMPARISONS]
        if len(chain) > 1:
            _refuse_chain(text, group, chain)
    for part in _runs(group, binary, LOGIC | BETWEEN):
        beside = [group[i] for i in part if group[i].text in BESIDE_SHIFTS]
        shift = next((token for token in beside if token.text in SHIFTS), None)
        if shift and len(beside) > 1:
            reason = f"{shift.text} comes after + in C++ and before it in TTree::Draw"
            refuse(text, shift.start, f"beside other operators {reason}; write brackets")
    for part in _runs(group, binary, BINARY - PRODUCTS - POWERS):
        products = [group[i] for i in part if group[i].text in PRODUCTS]
        remainder = next((token for token in products if token.text == "%"), None)
        if remainder and len(products) > 1:
            reason = "beside * or /, % comes from left to right in C++ and last in TTree::Draw"
            refuse(text, remainder.start, f"{reason}; write brackets")
    for part in _runs(group, binary, BINARY - POWERS):
        if len(part) > 1:
            reason = "a^b^c is (a^b)^c in TTree::Draw and a^(b^c) elsewhere"
            refuse(text, group[part[1]].start, f"{reason}; write brackets")


def _check_bits(text: str, group: list[Token], run: list[int]) -> None:
    """Refuse bits beside what comes first in one language and second in another."""
    operators = [group[i] for i in run]
    words = [token.text for token in operators]
    for token in operators:
        if token.text in BETWEEN and COMPARISONS.intersection(words):
            reason = (
                f"{token.text} comes after comparisons in C++ and before them in Python. For "
                "conditions write && and || and !, for bits brackets, such as (flags & 2) == 2"
            )
            refuse(text, token.start, reason)
        if token.text == "^" and BITS.intersection(words):
            reason = (
                "beside bits ^ is either a power, as in TTree::Draw, or 'exclusive or', as in C++ "
                "and Python; write ** for powers, and (a | b) - (a & b) for the other"
            )
            refuse(text, token.start, reason)


def _runs(group: list[Token], binary: list[int], ends: Iterable[str]) -> Iterator[list[int]]:
    """Yield the binary operators between those that end a run."""
    run: list[int] = []
    for i in binary:
        if group[i].text in ends:
            yield run
            run = []
        else:
            run.append(i)
    yield run


def _refuse_chain(text: str, group: list[Token], chain: list[int]) -> NoReturn:
    first, second = chain[:2]
    ends = [i for i, token in enumerate(group) if token.text in LOGIC]
    begin = max((i + 1 for i in ends if i < first), default=0)
    end = min((i for i in (*ends, *chain[2:]) if i > second), default=len(group))
    a = _span(text, group[begin:first])
    b = _span(text, group[first + 1 : second])
    c = _span(text, group[second + 1 : end])
    one, two = group[first].text, group[second].text
    refuse(
        text,
        group[second].start,
        f"{a} {one} {b} {two} {c} compares the outcome of the first comparison, 0 or 1, with "
        f"{c}. Write {a} {one} {b} && {b} {two} {c}; or, if it is meant, "
        f"({a} {one} {b}) {two} {c}",
    )


def _span(text: str, words: Sequence[Token]) -> str:
    return text[words[0].start : words[-1].end] if words else "…"
