"""How files keep trigger decisions: a branch for each path, or lists of names and decisions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from flavorframe._expr import nodes as n
from flavorframe._rootio.schema import Schema
from flavorframe.errors import BranchError, did_you_mean
from flavorframe.layouts.base import LackingError

SHOWN = 8
"""How many trigger paths a message lists."""


@dataclass(frozen=True)
class Trigger:
    """How the decisions of a trigger menu are kept.

    Attributes:
        branches: Shell patterns of branches, each the decision of one path.
        names: The branch with the list of paths' names, where there is one.
        decisions: The branch with the list of their decisions; 1 is accepted.
    """

    branches: tuple[str, ...] = ()
    names: str = ""
    decisions: str = ""

    def fired(self, schema: Schema, patterns: tuple[str, ...]) -> n.Node:
        """Return the tree that says whether a path that fits one of the patterns fired.

        The version that NanoAOD strips from names of branches (``_v*``, ``_v7``) may stand in a
        pattern. Raises LackingError where no branch fits, for then nothing could ever fire, and
        BranchError where there are no paths at all.
        """
        if self.names:
            return self._accepted(patterns)
        paths = [b for b in schema.by_name if any(fnmatchcase(b, each) for each in self.branches)]
        names = [b for b in paths if _fits(b, patterns)]
        if not names:
            error = LackingError if paths else BranchError
            raise error(
                f"No branch of tree {schema.tree} is the trigger path {' or '.join(patterns)}."
                f"{did_you_mean(patterns[0], paths)} {_listed(paths)}"
            )
        return _any([n.Branch(name, n.UNRESOLVED) for name in names])

    def _accepted(self, patterns: tuple[str, ...]) -> n.Node:
        name, decision = (n.Branch(b, n.UNRESOLVED) for b in (self.names, self.decisions))
        fits = n.StringTest("matches", name, patterns)
        accepted = n.Apply("eq", (decision, n.Literal(1)))
        return n.Reduce("any", n.Apply("and", (fits, accepted)))


def _listed(paths: Sequence[str]) -> str:
    if not paths:
        return "It has none of this kind."
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return f"It has {', '.join(sorted(paths)[:SHOWN])}{more}."


def _any(columns: Sequence[n.Node]) -> n.Node:
    """Return a balanced tree of ``or``: a menu may have hundreds of paths."""
    if len(columns) == 1:
        return columns[0]
    middle = len(columns) // 2
    return n.Apply("or", (_any(columns[:middle]), _any(columns[middle:])))


def _fits(branch: str, patterns: tuple[str, ...]) -> bool:
    return any(
        fnmatchcase(branch, form)
        for pattern in patterns
        for form in (pattern, re.sub(r"_v(\*|\d+)$", "", pattern))
    )
