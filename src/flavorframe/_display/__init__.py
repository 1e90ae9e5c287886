"""How results, fits and certificates look: text in a terminal, HTML in a notebook or a report.

An object describes itself as blocks (`Grid`, `Paragraph`, `Items`, `Section`, `Group`), and this
package turns blocks into text or HTML without knowing the object. Nothing here imports a class that
is shown, so that every package may use it.

- ``blocks``: the blocks, as data.
- ``text`` and ``html``: blocks as text for a terminal, and as escaped HTML.
- ``numbers``: how many digits a number is written with.
- ``page``, ``grid.html.j2``, ``style.css``: what pages of their own share.
- ``canvas``, ``error_bars``: what plots share.

To change what is shown, go to the object: a column of the cutflow is in ``result/cutflow.py``, the
tables of a fit are in ``fit/_tables.py``, a line of the certificate is in
``certificate/_description.py``.
"""

from flavorframe._display.blocks import Block, Grid, Group, Items, Paragraph, Section
from flavorframe._display.html import as_html
from flavorframe._display.numbers import UNDEFINED, rounded, with_error
from flavorframe._display.text import as_text

__all__ = [
    "UNDEFINED",
    "Block",
    "Grid",
    "Group",
    "Items",
    "Paragraph",
    "Section",
    "as_html",
    "as_text",
    "rounded",
    "with_error",
]
