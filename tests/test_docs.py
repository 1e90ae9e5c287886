"""The pages: their Python runs and prints what they say, their links lead somewhere."""

import contextlib
import doctest
import io
import re
from pathlib import Path

import pytest
import typer

import flavorframe as ff
from flavorframe._cli.main import app
from flavorframe._run.core.options import PARTITION_SIZE
from flavorframe.layouts import bph

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?:\]\(|src=\")(?!https?:|#)([^)#\s\"]+)(?:#([^)\s]+))?[)\"]")


def named(pages):
    return pytest.mark.parametrize("page", pages, ids=[page.name for page in pages])


def printed(code, names):
    """Run a block and return what it prints."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "<block>", "exec"), names)
    return output.getvalue()


NEEDS = {"models.md": "xgboost", "corrections.md": "correctionlib"}
"""Packages that pages use, beside those that all tests need."""


@named([page for page in PAGES if BLOCK.search(page.read_text("utf-8"))])
def test_python_blocks_run_and_print_what_the_page_says(page, tmp_path, monkeypatch):
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    names = {"__name__": "__main__"}
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for code, expected in BLOCK.findall(page.read_text("utf-8")):
        output = printed(code, names)
        if expected:
            same = doctest.OutputChecker().check_output(expected, output, options)
            assert same, f"{code}\nprints\n{output}\nand the page says\n{expected}"


@named(PAGES)
def test_links_lead_to_pages_and_headings(page):
    for target, heading in LINK.findall(page.read_text("utf-8")):
        file = page.parent / target
        assert file.exists(), f"{page.name} links to {target}"
        if heading:
            assert heading in headings(file), f"{page.name} links to {target}#{heading}"


def headings(page):
    """Return the anchors of a page: its headings, and what it shows of the docstrings."""
    text = page.read_text("utf-8")
    documented = re.findall(r"^::: (\S+)$", text, re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {*documented} | {
        re.sub(r"[^\w\s-]", "", title.lower()).strip().replace(" ", "-") for title in titles
    }


def test_reference_has_every_public_name():
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    assert [name for name in ff.__all__ if not re.search(rf"\b{name}\b", text)] == []


def test_layouts_has_every_branch_of_the_tables():
    text = (ROOT / "docs" / "layouts.md").read_text("utf-8")
    declared = [bph.BPH.collections[name].fields for name in ("triplet", "muon", "primary_vertex")]
    branches = {branch for table in (bph.EVENT, *declared) for branch in table.values()}
    assert sorted(branch for branch in branches if f"`{branch}`" not in text) == []


def test_readme_shows_the_code_of_the_example():
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = next(code for code, _ in BLOCK.findall(readme) if "ff.Selection" in code)
    example = (ROOT / "examples" / "dsphi.py").read_text("utf-8").splitlines()
    assert [line for line in shown.splitlines() if line not in example] == []


@named(PAGES)
def test_partitions_are_as_long_as_in_the_code(page):
    lengths = re.findall(r"artitions (?:are )?of at most ([\d ]+) events", page.read_text("utf-8"))
    assert {int(length.replace(" ", "")) for length in lengths} <= {PARTITION_SIZE}


def test_the_command_line_has_the_options_of_its_page_and_no_others():
    page = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    others = "".join((ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("facility",))
    facility = pytest.importorskip("flavorframe_facility.cli", reason="needs the facility")
    commands = (typer.main.get_command(each) for each in (app, facility.app))
    existing = set().union(*map(options, commands))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page))
    assert named - existing - {"--help", "--install-completion"} == set()
    hidden = {"--no-minos", "--help", "--install-completion", "--show-completion", "--version"}
    assert {name for name in existing - named - hidden if name not in others} == set()


def options(command):
    """Return the long options of a command and of those under it."""
    names = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    for below in getattr(command, "commands", {}).values():
        names |= options(below)
    return {name for name in names if name.startswith("--")}


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = [page.name for page in (ROOT / "docs").glob("*.md")]
    assert [name for name in pages if f": {name}\n" not in navigation] == []
