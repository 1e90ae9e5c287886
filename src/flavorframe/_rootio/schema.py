"""What a layout gets to see of an open file: its branches, their kinds and shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class BranchInfo:
    """One branch, or several of one path, which nothing tells apart (kind "repeated").

    ``name`` is the branch's own, or its ``path`` (``parent/child``) where others have the same;
    path and own name are empty for a branch without a parent, for which all three are one.
    ``kind`` is "float", "int", "unsigned" (whole, without sign, of 64 bits), "bool", "string",
    "repeated" or "other"; ``shape`` is "scalar" (one value an event), "list" (a list an event) or
    "other"; ``counter`` names the branch that holds the list's length, where there is one; ``why``
    says why nothing is known of a branch that is all "other".
    """

    name: str
    typename: str
    kind: str
    shape: str
    counter: str | None = None
    path: str = ""
    own: str = ""
    why: str = ""

    @property
    def is_counted_with_others(self) -> bool:
        """Whether its counter may be others' as well, and not just its own, as uproot writes it."""
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
        return hash((self.tree, self.branches))  # looked at for each expression, of many branches

    def __getstate__(self) -> dict[str, Any]:  # string hashes differ from process to process
        return {"tree": self.tree, "branches": self.branches}

    @cached_property
    def by_name(self) -> Mapping[str, BranchInfo]:
        """The branches by name."""
        return {branch.name: branch for branch in self.branches}

    @cached_property
    def by_other_name(self) -> Mapping[str, tuple[str, ...]]:
        """Names by what a branch is called as well: its path, or what others are called too."""
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
            own = fold(branch.own or branch.name)
            folded[own] = (*folded.get(own, ()), branch.name)
        return folded


def fold(name: str) -> str:
    """Return the name without underscores, dots and case, as friendly names are compared.

    >>> fold("Muon_isGlobal") == fold("muon_is_global")
    True
    """
    return name.replace("_", "").replace(".", "").lower()
