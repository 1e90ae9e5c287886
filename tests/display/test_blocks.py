"""Descriptions as text and HTML: aligned, escaped, and the same words in both."""

import math

import pytest

from flavorframe._display import Grid, Group, Items, Paragraph, Section, as_html, as_text
from flavorframe._display.numbers import percent, percent_with_interval, rounded

GRID = Grid(("cut", "events"), (("m < 2", "1,234"), ("all", "5")), caption="2 cuts")


def test_labels_are_left_and_numbers_right():
    assert as_text(GRID).splitlines() == [
        "2 cuts",
        "cut    events",
        "m < 2   1,234",
        "all         5",
    ]


def test_a_group_has_empty_lines_between_its_blocks():
    group = Group((Paragraph("one"), Paragraph("two")), "ff-group")
    assert as_text(group) == "one\n\ntwo"
    assert as_html(group) == '<div class="ff-group"><p>one</p><p>two</p></div>'


def test_a_section_indents_its_list():
    section = Section("entry 3", ("kept by a",))
    assert as_text(section) == "\nentry 3\n  kept by a"
    assert as_html(section) == "<h4>entry 3</h4><ul><li>kept by a</li></ul>"


@pytest.mark.parametrize(
    "block",
    [
        Grid(("<b>",), (("<b>",),), caption="<b>"),
        Paragraph("<b>", "c", "color: red", "b"),
        Items(("<b>",)),
        Section("<b>", ("<b>",)),
        Group((Paragraph("<b>"),), "g"),
    ],
)
def test_no_text_acts_as_html(block):
    assert "&lt;b&gt;" in as_html(block)
    assert as_html(block).count("<b>") == (1 if isinstance(block, Paragraph) else 0)


@pytest.mark.parametrize("draw", [as_text, as_html])
def test_what_is_no_block_is_refused(draw):
    with pytest.raises(TypeError, match="str has no"):
        draw("a text")


def test_a_fraction_shows_two_digits_of_its_uncertainty():
    assert percent(0.133333, 0.132715, 0.133955) == "13.333"
    assert percent_with_interval(0.133333, 0.132715, 0.133955) == "13.333 −0.062 +0.062"
    assert percent_with_interval(math.nan, math.nan, math.nan) == "–"
    assert percent(1.0, 1.0, 1.0) == "100.0"


def test_numbers_without_an_error_have_six_digits():
    assert rounded(1.23456789, 0.0) == rounded(1.23456789, math.nan) == "1.23457"
    assert rounded(math.nan, 1.0) == "nan"
