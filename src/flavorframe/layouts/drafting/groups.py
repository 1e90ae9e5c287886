"""Which lists are one collection: those of one counter, or of lengths that are always equal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flavorframe.layouts.base import RowsRule
from flavorframe.layouts.drafting.look import Look
from flavorframe.layouts.drafting.words import after_prefix, fields, prefix, unused
from flavorframe.layouts.naming import snake

ENOUGH_EVENTS = 200
"""Fewer events do not tell that lengths are equal by more than chance."""
ENOUGH_LENGTHS = 3
MASSES = ("mass", "m")
NAMES_OF_EVENTS = ("hlt", "l1", "run", "luminosity_block", "event", "n_primary_vertices",
                   "n_pileup", "met", "pv", "pileup", "generator", "flag")  # fmt: skip
"""Names that `flavorframe.events` takes for something else than a collection."""


@dataclass(frozen=True)
class Group:
    """A collection: its name, and the branches of its fields by their names."""

    name: str
    fields: Mapping[str, str]
    why: str


def find_groups(look: Look) -> list[Group]:
    """Return the collections of a file."""
    together: defaultdict[tuple[str, Hashable], list[str]] = defaultdict(list)
    counters = _counters(look)
    for branch in look.lists:
        together[_common(look, branch, counters)].append(branch)
    found: list[Group] = []
    for (why, _), branches in together.items():
        own = _own_prefix(branches)
        name = unused(snake(own), (*NAMES_OF_EVENTS, *(group.name for group in found)))
        found.append(Group(name, fields(branches, own), why))
    return found


def _counter(look: Look, branch: str) -> str | None:
    info = look.schema.by_name[branch]
    return info.counter if info.is_counted_with_others else None


def _counters(look: Look) -> dict[Hashable, str]:
    """Return the counters of lists by what tells that lists without one belong to theirs."""
    counted = [(branch, _counter(look, branch)) for branch in look.lists]
    if all(counter is not None for _, counter in counted):
        return {}
    firsts = {counter: branch for branch, counter in reversed(counted) if counter is not None}
    return {_by_length(look, branch)[1]: counter for counter, branch in firsts.items()}


def _common(look: Look, branch: str, counters: Mapping[Hashable, str]) -> tuple[str, Hashable]:
    """Return what the lists of one collection have in common, first in words."""
    counter = _counter(look, branch)
    if counter is None:
        words, lengths = _by_length(look, branch)
        counter = counters.get(lengths)
    return (words, lengths) if counter is None else (f"lists that {counter} counts", counter)


def _by_length(look: Look, branch: str) -> tuple[str, Hashable]:
    sizes = look.sizes(branch)
    if look.events >= ENOUGH_EVENTS and len(np.unique(sizes)) >= ENOUGH_LENGTHS:
        return f"lists of equal lengths in {look.events:,} events", sizes.tobytes()
    first = prefix(branch)
    return f"lists of equal lengths that begin with {first}", (first, sizes.tobytes())


def _own_prefix(branches: Sequence[str]) -> str:
    """Return what the collection's own branches begin with: what has the mass, or most of them."""
    prefixes = Counter(map(prefix, branches))
    for branch in branches:
        if after_prefix(branch).lower() in MASSES:
            return prefix(branch)
    return prefixes.most_common(1)[0][0]


def group_of_rows(look: Look, rows: RowsRule) -> Group:
    """Return the one collection of a file with one row a candidate."""
    branches = [branch for branch in look.scalars if branch not in rows.event]
    own = _own_prefix(branches) if branches else ""
    return Group(rows.candidates, fields(branches, own), "one row of the tree each")
