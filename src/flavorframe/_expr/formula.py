"""The formula of an expression, as a physicist would write it.

How a node or axis is written is said in its class, by ``text``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from flavorframe._expr.parts import Part, parts
from flavorframe._expr.texts import Text, shortened, written

SHALLOW = 64
"""In messages, trees of up to this height are written in full, unless the text is long."""
NEAR = 6
"""Of higher trees, messages show this many levels from the top."""


@lru_cache(maxsize=1024)  # each run asks for those of all its cuts
def formula(part: Part) -> str:
    """Return the formula of a node, or the name of an axis.

    Where it is longer than `texts.LONGEST`, its middle is replaced by a digest of the whole.

    >>> from flavorframe._expr import nodes as n
    >>> muon = n.CollectionAxis("muon")
    >>> pt = n.Field(muon, ("pt",))
    >>> formula(n.Apply("between_left", (pt, n.Literal(2.0), n.Literal(3.5))))
    '2 ≤ muon.pt < 3.5'
    """
    texts: dict[Part, Text] = {}
    for each in parts(part):
        texts[each] = each.text(texts)
    return written(texts[part])


def brief(part: Part) -> str:
    """Return the formula as messages show it: what is very deep or long is left out.

    >>> from flavorframe._expr import nodes as n
    >>> total = n.Literal(0)
    >>> for i in range(99):
    ...     total = n.Apply("add", (total, n.Literal(i)))
    >>> brief(total)
    '… + 94 + 95 + 96 + 97 + 98'
    """
    if part.height <= SHALLOW:
        return shortened(formula(part))
    texts: dict[Part, Text] = {}
    for each in sorted(_near(part), key=lambda near: near.height):
        known = all(inner in texts for inner in _written_in(each))
        texts[each] = each.text(texts) if known else "…"
    return shortened(written(texts[part]))


def _written_in(part: Part) -> Iterator[Part]:
    """Yield the parts whose texts the text of this one may contain."""
    for inner in part.inside:
        yield inner
        yield from inner.inside if inner.is_spelled_out else ()


def _near(top: Part) -> set[Part]:
    """Return the parts a few levels below one, and what is inside of these if it is little."""
    near, level = set[Part](), {top}
    for _ in range(NEAR):
        near |= level
        level = {inner for outer in level for inner in outer.inside}
        near.update(inner for part in level if part.height <= NEAR for inner in parts(part))
    return near
