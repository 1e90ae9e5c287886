"""Texts of formulas, which may be very long.

The formula of a node contains those of all nodes inside. Joining strings again at each level would
take a time that grows with the square of the depth, so long texts are kept as their pieces and
written out once at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

SHORT = 2_000
"""Texts of up to this many characters are plain strings."""

LONGEST = 1_000_000
"""The middle of longer texts is left out: where a value is used twice, and the result twice again,
the text doubles at each level."""


class LongText:
    """A text longer than `SHORT`, kept as its pieces."""

    def __init__(self, pieces: tuple[Text, ...], length: int) -> None:
        """``length`` is the number of characters of all pieces together."""
        self.pieces, self.length = pieces, length
        self.digest: bytes = sha256(b"\0".join(map(_bytes_of, pieces))).digest()


Text = str | LongText


def _bytes_of(text: Text) -> bytes:
    return text.digest if isinstance(text, LongText) else text.encode("utf-8", "surrogatepass")


def put(*pieces: Text) -> Text:
    """Return the text of some pieces, one after the other.

    >>> put("max(", "muon.pt", ")")
    'max(muon.pt)'
    """
    length = sum(p.length if isinstance(p, LongText) else len(p) for p in pieces)
    plain = [piece for piece in pieces if isinstance(piece, str)]
    if length <= SHORT and len(plain) == len(pieces):
        return "".join(plain)
    return LongText(pieces, length)


def joined(between: str, texts: Sequence[Text]) -> Text:
    """Return the texts with another between them."""
    pieces = [piece for text in texts for piece in (between, text)]
    return put(*pieces[1:])


def after(start: Text, text: Text) -> Text | None:
    """Return what comes after the start of a text, or None if it does not start so.

    >>> after("muon", "muon.pt"), after("jet", "muon.pt")
    ('.pt', None)
    """
    if isinstance(text, LongText):
        if text is start:
            return ""
        return put(*text.pieces[1:]) if text.pieces[0] is start else None
    starts = isinstance(start, str) and text.startswith(start)
    return text[len(start) :] if isinstance(start, str) and starts else None


def last_name(text: Text) -> Text:
    """Return what comes after the last dot."""
    last = text.pieces[-1] if isinstance(text, LongText) else text
    return last.rpartition(".")[2] if isinstance(last, str) else text


def written(text: Text) -> str:
    """Return the text as a string, its middle replaced by a digest where it is too long."""
    if isinstance(text, str):
        return text
    if text.length <= LONGEST:
        return "".join(_strings(text))
    start, end = first(text, LONGEST // 2), first(text, LONGEST // 2, backwards=True)
    return f"{start} … [{text.digest.hex()[:16]}] … {end}"


def first(text: Text, size: int, *, backwards: bool = False) -> str:
    """Return so many characters at the start of the text, or at its end."""
    found: list[str] = []
    missing = size
    for string in _strings(text, backwards=backwards):
        found.append(string[-missing:] if backwards else string[:missing])
        missing -= len(found[-1])
        if not missing:
            break
    return "".join(reversed(found) if backwards else found)


def _strings(text: Text, *, backwards: bool = False) -> Iterator[str]:
    """Yield the strings that a text is made of, the last one first if ``backwards``."""
    waiting = [text]
    while waiting:
        piece = waiting.pop()
        if isinstance(piece, str):
            yield piece
        else:
            waiting.extend(piece.pieces if backwards else reversed(piece.pieces))


def shortened(text: str, most: int = 300) -> str:
    """Return a text as people are shown it: of a very long one, the start and the end.

    >>> shortened("run = 1 or run = 2 or run = 3 or run = 4", most=20)
    'run = 1 or … or run = 4 (40 characters)'
    """
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half].rstrip()} … {text[-half:].lstrip()} ({len(text):,} characters)"
