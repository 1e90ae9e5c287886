"""Blocks as HTML for notebooks; every text is escaped.

Notebooks bring their own styles, so a table is nothing but its cells and a class. A report shows
what notebooks show, too; its own tables are made by ``grid.html.j2``, with aligned headers and in a
box that scrolls.
"""

from __future__ import annotations

from functools import singledispatch
from html import escape

from flavorframe._display.blocks import Block, Grid, Group, Items, Paragraph, Section


def as_html(*blocks: Block) -> str:
    """Return blocks as HTML, one below the other.

    >>> as_html(Paragraph("mass < 2 GeV", tag="b"))
    '<p><b>mass &lt; 2 GeV</b></p>'
    """
    return "\n".join(_html(block) for block in blocks)


@singledispatch
def _html(block: Block) -> str:
    raise TypeError(f"{type(block).__name__} has no HTML")


@_html.register
def _(block: Grid) -> str:
    caption = [f"<caption>{escape(block.caption)}</caption>"] if block.caption else []
    head = "".join(f"<th>{escape(cell)}</th>" for cell in block.header)
    lines = [
        f"<table{_class(block.css_class)}>",
        *caption,
        f"<thead><tr>{head}</tr></thead>",
        "<tbody>",
        *(_row(cells, block.labels) for cells in block.rows),
        "</tbody>",
        "</table>",
    ]
    # The rows of a table with a class are told apart in the source of a page.
    return ("\n" if block.css_class else "").join(lines)


@_html.register
def _(block: Paragraph) -> str:
    content = escape(block.text)
    if block.tag:
        content = f"<{block.tag}>{content}</{block.tag}>"
    style = f' style="{block.style}"' if block.style else ""
    return f"<p{_class(block.css_class)}{style}>{content}</p>"


@_html.register
def _(block: Items) -> str:
    return _list(block.texts)


@_html.register
def _(block: Section) -> str:
    return f"<h4>{escape(block.heading)}</h4>{_list(block.items)}"


@_html.register
def _(block: Group) -> str:
    return f'<div class="{block.css_class}">{"".join(map(_html, block.blocks))}</div>'


def _list(texts: tuple[str, ...]) -> str:
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def _class(name: str) -> str:
    return f' class="ff {name}"' if name else ""


def _row(cells: tuple[str, ...], labels: int) -> str:
    texts = [f"<td>{escape(cell)}</td>" for cell in cells[:labels]]
    numbers = [f'<td class="number">{escape(cell)}</td>' for cell in cells[labels:]]
    return f"<tr>{''.join([*texts, *numbers])}</tr>"
