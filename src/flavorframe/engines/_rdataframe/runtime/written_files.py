"""Files that are written for ROOT to read, where it cannot read the user's as they are meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flavorframe._rootio.schema import BranchInfo
from flavorframe.engines._rdataframe.codegen.names import column_name

TREE = "events"
"""The tree of such files."""


def as_written(branches: Sequence[BranchInfo]) -> tuple[BranchInfo, ...]:
    """Return the branches with the names, as paths, that they have in a file that was written."""
    return tuple(
        replace(branch, path=column_name(branch.name, number, ""), own="")
        for number, branch in enumerate(branches)
    )
