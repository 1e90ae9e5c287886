"""Which names of analyses the branches of a file have: what a layout means, read backwards."""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress

from flavorframe._expr import nodes as n
from flavorframe._rootio.candidate_rows.events import schema_of_events
from flavorframe._rootio.schema import BranchInfo, Schema
from flavorframe.errors import BranchError, did_you_mean
from flavorframe.layouts.base import collection_axis, collection_of
from flavorframe.layouts.declared import Layout
from flavorframe.layouts.events import OBJECTS, VALUES


def snake(name: str) -> str:
    """Return a name as expressions write it.

    >>> snake("isGlobal"), snake("Vertex2D_PVSV"), snake("__run__"), snake("2nd"), snake("pass")
    ('is_global', 'vertex2_d_pvsv', 'run', 'x2nd', 'pass_')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    word = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "x"
    word = f"x{word}" if word[0].isdigit() else word
    return f"{word}_" if keyword.iskeyword(word) else word


def place_of(branch: BranchInfo, layout: Layout, schema: Schema) -> str:
    """Return the collection that a branch is of, or "event"."""
    if layout.rows is not None:
        branch = schema_of_events(schema, layout.rows.of_event).by_name[branch.name]
    return "event" if branch.shape == "scalar" else collection_of(branch, layout, schema)


def friendly_names(layout: Layout, schema: Schema) -> dict[str, str]:
    """Return the names that follow ``events.`` in an analysis, such as "muon.pt", by branch."""
    names: dict[str, str] = {}
    for branch in schema.branches:
        place = place_of(branch, layout, schema)
        collection = None if place == "event" else place
        for path in _candidates(branch.name, collection, layout):
            if _branch_of(layout, schema, collection, path) == branch.name:
                first = () if collection is None else (_written(collection, layout),)
                names.setdefault(branch.name, ".".join((*first, *path)))
    return names


def fields_in_common(axes: Sequence[n.Axis], layout: Layout, schema: Schema) -> list[str]:
    """Return the names of fields that all of some collections, or parts of them, have."""
    fields: dict[n.Axis, set[str]] = defaultdict(set)
    for name in friendly_names(layout, schema).values():
        collection, _, field = name.partition(".")
        fields[collection_axis(collection)].add(field)
    whole = [n.lineage(axis)[0] for axis in axes]
    found = [fields[collection_axis(axis.collection)] for axis in whole
             if isinstance(axis, n.CollectionAxis)]  # fmt: skip
    return sorted(set.intersection(*found)) if found else []


def _written(collection: str, layout: Layout) -> str:
    return collection if collection in layout.collections else snake(collection)


def _branch_of(
    layout: Layout, schema: Schema, collection: str | None, path: tuple[str, ...]
) -> str:
    with suppress(BranchError):  # a name that may be one of two branches is no name of either
        return layout.branch_for(schema, collection, path)
    return ""


def _candidates(branch: str, collection: str | None, layout: Layout) -> Iterator[tuple[str, ...]]:
    """Yield the names that may stand for a branch, those that are declared first."""
    declared = layout.event if collection is None else layout.fields_of(collection)
    yield from (tuple(name.split(".")) for name, each in declared.items() if each == branch)
    if collection is None:
        yield from ((name,) for name in VALUES)
        first, _, rest = branch.partition("_")
        if rest and snake(first) in OBJECTS:
            yield snake(first), snake(rest)
    else:
        rest = branch[len(collection) :]
        if branch.lower().startswith(collection.lower()) and not rest[:1].islower() and rest:
            yield (snake(rest),)
        yield (snake(branch),)


def missing_branches(layout: Layout, schema: Schema) -> tuple[str, ...]:
    """Return what the layout declares and the file lacks, each with its nearest branch."""
    lacking = [(n, b) for n, b in _declared(layout) if b and b not in schema.by_name]
    return tuple(
        f"{name}: branch {branch}.{did_you_mean(branch, schema.by_name, count=1)}"
        for name, branch in lacking
    )


def _declared(layout: Layout) -> Iterator[tuple[str, str]]:
    yield from layout.event.items()
    for name, rule in layout.collections.items():
        yield from ((f"{name}.{field}", branch) for field, branch in rule.fields.items())
        yield from ((f"link {name}.{link}", each.index) for link, each in rule.links.items())
    for menu, trigger in layout.triggers.items():
        yield from ((menu, branch) for branch in (trigger.names, trigger.decisions))


def declared_links(layout: Layout) -> dict[str, str]:
    """Return the links that the layout declares: where each leads, and by what."""
    return {
        f"{name}.{link}": f"{each.to}, by {each.index or _equal(each.equal)}"
        for name, rule in layout.collections.items()
        for link, each in rule.links.items()
    }


def _equal(pairs: tuple[tuple[str, str], ...]) -> str:
    return " and ".join(f"{theirs} = {ours}" for theirs, ours in pairs)
