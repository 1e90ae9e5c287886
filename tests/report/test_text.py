"""The text of an analysis as HTML."""

import pytest

from flavorframe.report.text import DEFAULT_TITLE, as_html, title_and_body


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ds⁺ → φπ⁺.", ("Ds⁺ → φπ⁺", "")),
        ("Two\nlines.\n\n    Indented.\n", ("Two lines", "Indented.")),
        ("", (DEFAULT_TITLE, "")),
        ("x" * 200, (DEFAULT_TITLE, "x" * 200)),
    ],
)
def test_the_summary_of_a_docstring_is_the_title(text, expected):
    assert title_and_body(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a\nb\n\nc", "<p>a\nb</p>\n<p>c</p>"),
        ("``x < 2`` and `**y**`", "<p><code>x &lt; 2</code> and <code>**y**</code></p>"),
        ("**<b>**", "<p><strong>&lt;b&gt;</strong></p>"),
        ("2 ** 3 ** 4", "<p>2 ** 3 ** 4</p>"),
        ("* one\n* two\n  lines", "<ul><li>one</li><li>two\n  lines</li></ul>"),
        ("HLT_v* and L1_v*", "<p>HLT_v* and L1_v*</p>"),
    ],
)
def test_markup(text, expected):
    assert as_html(text) == expected
