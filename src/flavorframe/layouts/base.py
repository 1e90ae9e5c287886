"""What layouts say of units and rows, and how branches and collections are found by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from flavorframe._expr import nodes as n
from flavorframe._rootio.schema import UNREADABLE, BranchInfo, Schema, fold
from flavorframe.errors import BranchError, did_you_mean

if TYPE_CHECKING:
    from flavorframe.layouts.declared import Layout


class LackingError(BranchError):
    """A branch that the file does not have at all, and for which a default value may stand in."""


@dataclass(frozen=True)
class Units:
    """The units of a file's momenta, energies and masses, and of its lengths."""

    energy: str = "GeV"
    length: str = "cm"


GEV_AND_CM = Units()


@dataclass(frozen=True)
class RowsRule:
    """One row a candidate: rows of one event follow each other and have the same key.

    Attributes:
        key: The branches that tell events apart, such as ``("runNumber", "eventNumber")``.
        candidates: The collection that the rows are.
        event: Shell patterns of branches with one value an event, repeated on each of its rows.
    """

    key: tuple[str, ...]
    candidates: str = "candidate"
    event: tuple[str, ...] = ()

    @property
    def of_event(self) -> tuple[str, ...]:
        """Patterns of all branches with one value an event, the key's among them."""
        return (*self.key, *self.event)


def length_branch(axis: n.Axis, layout: Layout, schema: Schema) -> str:
    """Return a branch of the collection, to read the lengths of its lists from.

    Raises BranchError where the file has no such collection, naming those that it has.
    """
    known = collections(layout, schema)
    for collection, branch in known.items():
        if collection_axis(collection) == axis:
            return branch
    raise BranchError(
        f"Tree {schema.tree} (layout {layout.name}) has no collection {axis.name!r}."
        f"{did_you_mean(axis.name, known)}"
    )


def collections(layout: Layout, schema: Schema) -> dict[str, str]:
    """Return the collections of a file that expressions can take, with a branch of each."""
    found: dict[str, str] = {}
    of_lists = [b for b in schema.branches if b.is_readable and b.shape == "list"]
    for branch in (*of_lists, *_nested_branches(schema)):
        found.setdefault(collection_of(branch, layout, schema), branch.name)
    return dict(sorted(found.items()))


def _nested_branches(schema: Schema) -> list[BranchInfo]:
    return [b for b in schema.branches if b.shape == "nested" and b.kind not in UNREADABLE]


def inner_length_branch(axis: n.StoredLists, schema: Schema) -> str:
    """Return a branch of lists in lists, to read the lengths of the inner ones from.

    Raises BranchError where the file has none of the name.
    """
    begins, known = fold(f"{axis.outer.name}_{axis.name_in_outer}"), _nested_branches(schema)
    for branch in known:
        if fold(branch.name).startswith(begins):
            return branch.name
    raise BranchError(
        f"Tree {schema.tree} has no branch of lists in lists for {axis.name}: it would begin with "
        f"{axis.outer.name}_{axis.name_in_outer}."
        f"{did_you_mean(begins, (branch.name for branch in known))} Ask for a branch of them by "
        f"its name, such as {axis.name}['Name'].count()."
    )


def collection_of(branch: BranchInfo, layout: Layout, schema: Schema) -> str:
    """Return the collection of a list: what the layout says, or its counter.

    Lists that the layout puts together are of several collections where they have several counters.
    """
    if branch.collection:
        return branch.collection
    said = layout.collection_of(branch)
    if branch.counter in (None, f"n{said}") or not branch.is_counted_with_others:
        return said
    several = len(_counters(layout, schema)[fold(said)]) > 1
    return str(branch.counter) if several else said


@lru_cache(maxsize=32)
def _counters(layout: Layout, schema: Schema) -> Mapping[str, set[str]]:
    """Return the counters of the lists that the layout takes for one collection."""
    counters: dict[str, set[str]] = defaultdict(set)
    for branch in schema.branches:
        if branch.counter is not None and branch.is_counted_with_others:
            counters[fold(layout.collection_of(branch))].add(branch.counter)
    return counters


def collection_axis(collection: str) -> n.CollectionAxis:
    """Return the axis of a collection in bound trees, where spelling does not count."""
    return n.CollectionAxis(fold(collection))


def by_folded_name(schema: Schema, *parts: str) -> str:
    """Return the one branch whose folded name is that of the parts joined, or an empty string.

    Raises BranchError where several branches differ only in case, underscores and path.
    """
    names = schema.by_folded_name.get(fold("_".join(parts)), ())
    return only(".".join(parts), names) if names else ""


def only(asked: str, names: tuple[str, ...]) -> str:
    """Return the one branch that a name means; raises BranchError where there are several."""
    if len(names) > 1:
        raise BranchError(
            f"{asked} may be {' or '.join(names)}: say which by events['{names[0]}']."
        )
    return names[0]
