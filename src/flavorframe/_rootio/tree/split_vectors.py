"""Vectors that were split: each component is a branch, called as the class calls its members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flavorframe._rootio.tree.interpretation import class_of
from flavorframe._rootio.vectors import component, is_vector


class SplitVectors:
    """The branches of a tree that stand for vectors, and have a branch for each component."""

    def __init__(self, branches: Iterable[tuple[str, Any]]) -> None:
        """``branches`` are those of a tree with their paths."""
        found = {path: _vector_class(branch) for path, branch in branches if branch.branches}
        self._classes = {path: name for path, name in found.items() if is_vector(name)}

    def short_name(self, path: str, own: str, member: tuple[str, ...]) -> str:
        """Return ``p4.px`` for a branch of a vector ``p4``; an empty string for any other.

        ``member`` leads on from the branch, where it holds objects.
        """
        if not self._classes:
            return ""
        parts = path.split("/")
        for depth in range(1, len(parts)):
            classname = self._classes.get("/".join(parts[:depth]), "")
            if classname:
                vector = parts[depth - 1].rstrip(".")
                inner = ".".join((own.removeprefix(f"{vector}."), *member))
                name = component(classname, inner)
                return f"{vector}.{name}" if name else ""
        return ""


def _vector_class(branch: Any) -> str:
    """Return the class of the objects in a branch, or in the lists that it has."""
    name = branch.member("fClonesName", none_if_missing=True) or class_of(branch)
    return str(name).removeprefix("vector<").removesuffix(" >") if "vector<" in name else str(name)
