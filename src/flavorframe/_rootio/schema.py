"""What layouts see of a file: the branches of its tree, with their kinds and shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

UNREADABLE = ("other", "repeated")
"""The kinds of branches that cannot be read."""


@dataclass(frozen=True)
class BranchInfo:
    """One branch; or several of the same path, which cannot be told apart (kind "repeated").

    Attributes:
        name: The branch's own name, or its path where another branch has the same name.
        typename: The type in C++, as the file has it.
        kind: "float", "int", "unsigned" (64 bits, without sign), "bool", "string", "repeated" or
            "other".
        shape: "scalar" (one value an event), "list" (a list an event), "nested" (lists of lists),
            "group" (objects, whose members are branches of their own) or "other".
        counter: The branch that holds the list's length, where there is one.
        path: ``parent/child``; empty for a branch without a parent.
        own: The branch's own name; empty for a branch without a parent.
        why: Why nothing is known of a branch whose kind and shape are "other".
        collection: The collection of a list, where the file itself does not tell.
        partners: Of a friend that is joined by a key, whether an event has "one" entry or "many".
        why: Why values of kind "other" cannot be read.
        member: Of objects that are stored whole: the names that lead to the values.
        length: The length of a list that has the same in all events.
    """

    name: str
    typename: str
    kind: str
    shape: str
    counter: str | None = None
    path: str = ""
    own: str = ""
    why: str = ""
    collection: str = ""
    partners: str = ""
    member: tuple[str, ...] = ()
    length: int | None = None

    @property
    def is_readable(self) -> bool:
        """Whether expressions can take the branch."""
        return self.kind not in UNREADABLE and self.shape in ("scalar", "list")

    @property
    def is_counted_with_others(self) -> bool:
        """Whether other branches may have the same counter; uproot writes one for each branch."""
        return self.counter not in (None, f"n{self.name}")


@dataclass(frozen=True)
class Schema:
    """The branches of a tree, the same for all files that were written alike."""

    tree: str
    branches: tuple[BranchInfo, ...]

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.tree, self.branches))  # needed for each expression, and of many branches

    def __getstate__(self) -> dict[str, Any]:  # string hashes differ from process to process
        return {"tree": self.tree, "branches": self.branches}

    @cached_property
    def by_name(self) -> Mapping[str, BranchInfo]:
        """The branches by name."""
        return {branch.name: branch for branch in self.branches}

    @cached_property
    def by_other_name(self) -> Mapping[str, tuple[str, ...]]:
        """The names of branches by other names: their path, or a name that several of them have."""
        names: dict[str, tuple[str, ...]] = {}
        for branch in self.branches:
            for other in {branch.path, branch.own} - {"", branch.name}:
                names[other] = (*names.get(other, ()), branch.name)
        return names

    @cached_property
    def by_folded_name(self) -> Mapping[str, tuple[str, ...]]:
        """Names by their folded form (see `fold`)."""
        folded: dict[str, tuple[str, ...]] = {}
        for branch in self.branches:
            for name in dict.fromkeys((fold(branch.own or branch.name), fold(branch.name))):
                folded[name] = (*folded.get(name, ()), branch.name)
        return folded


def fold(name: str) -> str:
    """Return the name without underscores, dots and case, as friendly names are compared.

    >>> fold("Muon_isGlobal") == fold("muon_is_global")
    True
    """
    return name.replace("_", "").replace(".", "").lower()
