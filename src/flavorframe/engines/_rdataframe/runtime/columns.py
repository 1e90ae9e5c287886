"""What ROOT calls the branches of a file, and how it reads those that it has no column for."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flavorframe._rootio.vectors import component
from flavorframe.engines._rdataframe.codegen.names import is_readable
from flavorframe.errors import BranchError
from flavorframe.layouts import BranchInfo


@dataclass(frozen=True)
class RootColumn:
    """A column as RDataFrame's strings have it: a name, or an expression; and its C++ type."""

    text: str
    type: str
    is_name: bool = True


class RootColumns:
    """The columns of a frame; ``prefix`` is what the names of helpers begin with in strings."""

    def __init__(self, frame: Any, prefix: str) -> None:
        self._frame, self._prefix = frame, prefix
        self._known = frozenset(map(str, frame.GetColumnNames()))

    def of(self, branch: BranchInfo) -> RootColumn:
        """Return the column of a branch.

        Raises BranchError where ROOT has no name for it, or one that its generated code cannot
        have.
        """
        name = _named(branch.name, branch.path, branch.own, self._known)
        typename = self._type(name) if name else ""
        if _SET.match(typename):
            return self._converted("list_of", name, typename)
        found = RootColumn(name, typename) if name else self._inside(branch)
        if found is None:
            raise BranchError(
                f"branch {branch.name} has no name in ROOT's RDataFrame: read it with "
                "engine='columnar'."
            )
        if _UNREADABLE.match(found.type) or (
            branch.shape == "nested" and not _IN_LISTS.match(found.type)
        ):
            raise BranchError(
                f"branch {branch.name} holds {found.type}, which RDataFrame does not read here: "
                "read it with engine='columnar'."
            )
        return found

    def _inside(self, branch: BranchInfo) -> RootColumn | None:
        """Return the component of a vector, of a column that has vectors."""
        member = ".".join(branch.member)
        path, own = (name.removesuffix(member).rstrip(".") for name in (branch.path, branch.own))
        name = _named("", path, own, self._known) if member else ""
        typename = self._type(name) if name else ""
        called = component(_LIST.sub(r"\1", typename), member)
        return self._converted(f"{called}_of", name, typename) if called else None

    def _converted(self, function: str, name: str, typename: str) -> RootColumn:
        returned = f"decltype(flavorframe::{function}(std::declval<const {typename}&>()))"
        return RootColumn(f"{self._prefix}{function}({name})", returned, is_name=False)

    def _type(self, name: str) -> str:
        return str(self._frame.GetColumnType(name))


_SET = re.compile(r"(std::)?(unordered_)?(multi)?set<")
_UNREADABLE = re.compile(r"(std::)?(bitset|optional)<|TClonesArray")
"""Types that ROOT crashes with, or whose content has columns of its own."""
_IN_LISTS = re.compile(r"^[\w:]+<(?:ROOT::VecOps::RVec|(?:std::)?vector)<")
"""Types of lists in lists; ROOT crashes with arrays in lists, and makes one list of a matrix."""
_LIST = re.compile(r"^(?:ROOT::VecOps::RVec|std::vector|vector)<(.*?) ?>$")


def _named(name: str, path: str, own: str, known: Collection[str]) -> str:
    """Return the one of a branch's names by which ROOT knows it, or an empty string."""
    parent, *_ = path.split("/")
    unique = own if own.startswith(f"{parent.rstrip('.')}.") else own and f"{parent}.{own}"
    for candidate in (name, path.replace("/", "."), unique):
        if candidate in known and is_readable(candidate):
            return candidate
    return ""
