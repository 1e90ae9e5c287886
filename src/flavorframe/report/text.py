"""The text of an analysis as HTML: paragraphs, lists, code and bold, everything else as it is."""

from __future__ import annotations

import inspect
import re

from markupsafe import Markup, escape

DEFAULT_TITLE = "Analysis report"
_LONGEST_TITLE = 120


def title_and_body(text: str) -> tuple[str, str]:
    r"""Split a docstring into its summary, without the full stop, and the rest.

    >>> title_and_body("Ds⁺ → φπ⁺, the normalisation channel.\n\n    Run on 2017 data.")
    ('Ds⁺ → φπ⁺, the normalisation channel', 'Run on 2017 data.')
    """
    clean = inspect.cleandoc(text).strip()
    first, _, rest = clean.partition("\n\n")
    title = " ".join(first.split()).rstrip(".")
    return (title, rest.strip()) if 0 < len(title) <= _LONGEST_TITLE else (DEFAULT_TITLE, clean)


def as_html(text: str) -> Markup:
    r"""Return text as HTML, with ``code``, **bold** and lists; nothing in it acts as HTML.

    >>> print(as_html("The **peak** of <b>\n\n- one\n- `two`"))
    <p>The <strong>peak</strong> of &lt;b&gt;</p>
    <ul><li>one</li><li><code>two</code></li></ul>
    """
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(text))
    return Markup("\n").join(_block(block) for block in blocks if block.strip())


def _block(block: str) -> Markup:
    if not re.match(r"[-*] ", block):
        return Markup("<p>{}</p>").format(_inline(block))
    items = re.split(r"^[-*] ", block, flags=re.MULTILINE)[1:]
    listed = Markup("").join(Markup("<li>{}</li>").format(_inline(item.strip())) for item in items)
    return Markup("<ul>{}</ul>").format(listed)


def _inline(text: str) -> Markup:
    # Every second piece is between backticks; what is in it stays as it is.
    pieces = re.split(r"`{1,2}([^`]+)`{1,2}", text)
    marked = [
        Markup("<code>{}</code>").format(piece) if i % 2 else _bold(piece)
        for i, piece in enumerate(pieces)
    ]
    return Markup("").join(marked)


def _bold(text: str) -> Markup:
    # The text is escaped first, and the tags are the only HTML put into it.
    return Markup(re.sub(r"\*\*(\S.*?)\*\*", r"<strong>\1</strong>", str(escape(text))))
