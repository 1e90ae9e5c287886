"""A draft as TOML, with comments that say what was found, and what was not understood."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from flavorframe.layouts.base import RowsRule
from flavorframe.layouts.drafting.groups import Group
from flavorframe.layouts.drafting.links import FoundLink, Links
from flavorframe.layouts.drafting.look import Look
from flavorframe.layouts.triggers import Trigger

HEAD = """\
A layout: which branches stand for which names of an analysis. Drafted from {file}.
Edit what is wrong, and use it as ff.dataset(files, layout="{name}.toml").
Left is the name in an analysis, right the branch: with pt = "MuonPt" below
[collections.muon.fields], events.muon.pt is the branch MuonPt."""
UNNAMED = """\
Branches with one value an event that have no name here: write events['Branch'], or add a line."""


@dataclass(frozen=True)
class Draft:
    """What a look at a file says of its layout."""

    name: str
    look: Look
    values: Mapping[str, str]
    groups: Sequence[Group]
    links: Links
    triggers: Mapping[str, Trigger]
    units: tuple[str, str]
    rows: RowsRule | None


def as_toml(draft: Draft, file: str) -> str:
    """Return the draft as the text of a TOML file."""
    lines = [
        *_comment(HEAD.format(file=file, name=draft.name)),
        *_tree(draft),
        *_event(draft),
        *(line for group in draft.groups for line in _collection(draft, group)),
        *_triggers(draft.triggers),
        *_units(draft.units),
        *_unread(draft.look),
    ]
    return "\n".join(lines) + "\n"


def _tree(draft: Draft) -> Iterator[str]:
    yield f"name = {_text(draft.name)}"
    yield f"tree = {_text(draft.look.schema.tree)}"
    telling = [*draft.values.values(), *(b for g in draft.groups[:1] for b in g.fields.values())]
    yield from _comment("To have files recognised without naming the layout, say what tells them:")
    yield f"# recognised_by = [{', '.join(map(_text, telling[:3]))}]"
    if draft.rows is not None:
        yield ""
        yield from _comment(
            "Each row of the tree is a candidate; rows with equal keys are one event."
        )
        yield "[rows]"
        yield f"key = {_texts(draft.rows.key)}"
        yield f"candidates = {_text(draft.rows.candidates)}"
        yield from _comment("Branches with one value an event, equal on all of its rows:")
        yield f"event = {_texts(draft.rows.event)}"


def _event(draft: Draft) -> Iterator[str]:
    yield ""
    yield "[event]"
    yield from _pairs(draft.values)
    unnamed = _unnamed(draft) if draft.rows is None else draft.look.lists
    if unnamed:
        yield from _comment(UNNAMED if draft.rows is None else "Lists in each row, not drafted:")
        yield from _comment("  " + ", ".join(unnamed))


def _unnamed(draft: Draft) -> list[str]:
    """Return the event's values that get no name, but for trigger paths and counters."""
    counters = {branch.counter for branch in draft.look.schema.branches}
    paths = [path for trigger in draft.triggers.values() for path in trigger.branches]
    return [
        branch
        for branch in draft.look.scalars
        if branch not in (*draft.values.values(), *counters)
        and not any(fnmatchcase(branch, path) for path in paths)
    ]


def _collection(draft: Draft, group: Group) -> Iterator[str]:
    key = f"collections.{_key(group.name)}"
    yield ""
    size = len(group.fields)
    yield from _comment(f"{size} branch{'es' if size > 1 else ''}: {group.why}.")
    yield f"[{key}.fields]"
    yield from _pairs(group.fields)
    links = draft.links.get(group.name, {})
    if links:
        yield ""
        some = any(found.is_sure for found in links.values())
        yield f"[{key}.links]" if some else f"# [{key}.links]"
    for name, found in links.items():
        yield from _link(name, found)


def _link(name: str, found: FoundLink) -> Iterator[str]:
    link = found.link
    if link.index:
        how, told = f"index = {_text(link.index)}", "lead to an element"
    else:
        pairs = ", ".join(f"{_key(theirs)} = {_text(ours)}" for theirs, ours in link.equal)
        told = "values found"
        how = f"equal = {{ {pairs} }}"
    told = f"{found.share * 100:.4g} % of {found.of:,} {told}"
    line = f"{_key(name)} = {{ to = {_text(link.to)}, {how} }}  # {told}"
    yield line if found.is_sure else f"# perhaps a link: {line}"


def _triggers(triggers: Mapping[str, Trigger]) -> Iterator[str]:
    for menu, trigger in triggers.items():
        yield ""
        yield f"[triggers.{menu}]"
        if trigger.branches:
            yield f"branches = {_texts(trigger.branches)}"
        else:
            yield f"names = {_text(trigger.names)}"
            yield f"decisions = {_text(trigger.decisions)}"


def _units(units: tuple[str, str]) -> Iterator[str]:
    energy, why = units
    length = "mm" if energy == "MeV" else "cm"
    yield ""
    yield "[units]"
    yield f"energy = {_text(energy)}  # {why}"
    yield f"length = {_text(length)}  # a guess"


def _unread(look: Look) -> Iterator[str]:
    if look.unread:
        yield ""
        yield from _comment("Not readable by expressions:")
        yield from (f"#   {branch.name}: {branch.typename}" for branch in look.unread)


def _pairs(pairs: Mapping[str, str]) -> Iterator[str]:
    for name, branch in pairs.items():
        yield f"{'.'.join(map(_key, name.split('.')))} = {_text(branch)}"


def _comment(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield from textwrap.wrap(
            line.strip(), 98, initial_indent="# ", subsequent_indent="# ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip


def _key(name: str) -> str:
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else _text(name)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _texts(texts: Iterable[str]) -> str:
    whole = f"[{', '.join(map(_text, texts))}]"
    return whole if len(whole) < 80 else "[\n" + "".join(f"  {_text(t)},\n" for t in texts) + "]"
