"""Blocks as text for a terminal."""

from __future__ import annotations

from functools import singledispatch

from flavorframe._display.blocks import Block, Grid, Group, Items, Paragraph, Section


def as_text(*blocks: Block) -> str:
    """Return blocks as text, one below the other.

    >>> rows = (("HLT", "1,234"), ("mass", "56"))
    >>> print(as_text(Grid(("cut", "events"), rows, caption="2 cuts")))
    2 cuts
    cut   events
    HLT    1,234
    mass      56
    """
    return "\n".join(_text(block) for block in blocks)


@singledispatch
def _text(block: Block) -> str:
    raise TypeError(f"{type(block).__name__} has no text")


@_text.register
def _(block: Grid) -> str:
    lines = [block.header, *block.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    caption = [block.caption] if block.caption else []
    return "\n".join([*caption, *(_aligned(line, widths, block.labels) for line in lines)])


@_text.register
def _(block: Paragraph) -> str:
    return block.text


@_text.register
def _(block: Items) -> str:
    return "\n".join(f"{block.indent}{item}" for item in block.texts)


@_text.register
def _(block: Section) -> str:
    return "\n".join(["", block.heading, *(f"  {item}" for item in block.items)])


@_text.register
def _(block: Group) -> str:
    return "\n\n".join(_text(part) for part in block.blocks)


def _aligned(cells: tuple[str, ...], widths: list[int], labels: int) -> str:
    texts = [cell.ljust(width) for cell, width in zip(cells[:labels], widths, strict=False)]
    numbers = zip(cells[labels:], widths[labels:], strict=True)
    return "  ".join([*texts, *(cell.rjust(width) for cell, width in numbers)]).rstrip()
