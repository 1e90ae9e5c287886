"""The protocol of layouts, and how all of them find branches and collections by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from flavorframe._expr import nodes as n
from flavorframe._rootio.schema import BranchInfo, Schema, fold
from flavorframe.errors import BranchError, did_you_mean


class LackingError(BranchError):
    """A branch that the file does not have at all, and for which a default value may stand in."""


class Layout(Protocol):
    """A naming scheme: which branch or computation stands for a friendly name.

    Layouts open no file: all that they are given of one is the schema of its tree.
    """

    name: str

    def __hash__(self) -> int:
        """Layouts are alike where they are the same object."""

    def recognises(self, schema: Schema) -> bool:
        """Return whether the file is written in this layout."""

    def branch_for(self, schema: Schema, collection: str | None, path: tuple[str, ...]) -> str:
        """Return the branch of a friendly name.

        Args:
            schema: The branches of the file.
            collection: The collection that the name belongs to, or None for one of the event.
            path: The parts of the name: ``("mu1", "pt")`` for ``mu1.pt``.

        Returns:
            The name of the branch, or an empty string where there is none.

        Raises:
            BranchError: Several branches fit.
        """

    def link(self, schema: Schema, collection: str, name: str) -> n.Node | None:
        """Return what a link from a collection leads to.

        Args:
            schema: The branches of the file.
            collection: The collection that the link starts from.
            name: The name of the link: ``"mu1"`` for ``triplet.mu1``.

        Returns:
            A `Gather` of the linked element, or None where there is no such link.
        """

    def collection_of(self, branch: BranchInfo) -> str:
        """Return the name of the collection that a list-like branch belongs to."""

    def fired(self, schema: Schema, menu: str, patterns: tuple[str, ...]) -> n.Node:
        """Return the tree that says whether a trigger path fired.

        Args:
            schema: The branches of the file.
            menu: The level of the trigger: "hlt" or "l1".
            patterns: Shell patterns, one of which must fit the whole name of the path.

        Returns:
            A tree with one truth value per event.

        Raises:
            LackingError: The file has trigger paths, and no such one.
            BranchError: The file has no trigger paths.
        """


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
    for branch in schema.branches:
        if branch.shape == "list" and branch.kind != "other":
            found.setdefault(collection_of(branch, layout, schema), branch.name)
    return dict(sorted(found.items()))


def collection_of(branch: BranchInfo, layout: Layout, schema: Schema) -> str:
    """Return the collection of a list: what the layout says, or its counter.

    Lists that the layout puts together are of several collections where they have several counters.
    """
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
