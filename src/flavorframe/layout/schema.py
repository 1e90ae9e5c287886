"""What a layout gets to see of an open file: its branches, their kinds and shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class BranchInfo:
    """One branch.

    ``kind`` is "float", "int", "bool", "string" or "other"; ``shape`` is "scalar" (one value an
    event), "list" (a list an event) or "other"; ``counter`` names the branch that holds the
    list's length, where there is one; ``why`` says why nothing is known of a branch that is all
    "other".
    """

    name: str
    typename: str
    kind: str
    shape: str
    counter: str | None = None
    why: str = ""


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
    def by_folded_name(self) -> Mapping[str, tuple[str, ...]]:
        """Names by their folded form (see `fold`)."""
        folded: dict[str, tuple[str, ...]] = {}
        for branch in self.branches:
            folded[fold(branch.name)] = (*folded.get(fold(branch.name), ()), branch.name)
        return folded


def fold(name: str) -> str:
    """Return the name without underscores, dots and case, as friendly names are compared.

    >>> fold("Muon_isGlobal") == fold("muon_is_global")
    True
    """
    return name.replace("_", "").replace(".", "").lower()
