"""The blocks that an object describes itself with: cells and sentences, no markup."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """The cells of a table: the first ``labels`` columns hold text, the others numbers.

    Text is aligned to the left and numbers to the right. ``css_class`` is for pages to style.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: int = 1
    css_class: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A sentence; ``tag`` emphasises it in HTML (``"b"``), ``style`` is its CSS."""

    text: str
    css_class: str = ""
    style: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Items:
    """A list of sentences, a line each; ``indent`` precedes each line of text."""

    texts: tuple[str, ...]
    indent: str = ""


@dataclass(frozen=True)
class Section:
    """A heading with a list of sentences; in text, an empty line is above and the list indented."""

    heading: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Blocks in one HTML element of class ``css_class``, with empty lines between them in text."""

    blocks: tuple[Grid | Paragraph | Items | Section, ...]
    css_class: str


Block = Grid | Paragraph | Items | Section | Group
