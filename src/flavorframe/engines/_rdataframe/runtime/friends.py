"""A file with its friends, written as one for ROOT: what a plan needs of both.

ROOT has friends by entry, and by an index of two whole numbers; it has none that leave values
missing, nor several entries for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from flavorframe._rootio.arrays import Lists, Strings
from flavorframe._rootio.event_file import EventFile
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.schema import BranchInfo
from flavorframe.engines._rdataframe.runtime.written_files import TREE, as_written
from flavorframe.errors import BranchError

PIECE = 100_000
"""So many events are in memory at a time."""


def write_joined(file: EventFile, branches: Sequence[BranchInfo], target: str) -> None:
    """Write branches of a file and its friends to a new one.

    Raises BranchError for strings, of which this can write no lists.
    """
    import uproot

    with uproot.recreate(target) as written:
        tree = None
        for start in [*range(0, file.events, PIECE)] or [0]:
            stop = min(start + PIECE, file.events)
            columns = {
                branch.path: _column(file, branch, start, stop) for branch in as_written(branches)
            }
            if tree is None:
                types = {name: column.type.content for name, column in columns.items()}
                tree = written.mktree(TREE, types)
            tree.extend(columns)


def _column(file: EventFile, branch: BranchInfo, start: int, stop: int) -> Any:
    import awkward as ak

    found = file.read(branch.name, start, stop, np.arange(stop - start), ReadStats())
    content = found.elements if isinstance(found, Lists) else found
    if isinstance(content, Strings):
        raise BranchError(
            f"Branch {branch.name} holds strings, which engine='rdataframe' does not read of files "
            "with friends: use engine='columnar'."
        )
    flat = ak.Array(content)
    return ak.unflatten(flat, found.sizes) if isinstance(found, Lists) else flat
