"""Other trees of the files of a run, for its skims: those of all files, one after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from flavorframe._snapshots.columns import Columns
from flavorframe._snapshots.promotion import joined
from flavorframe.engines import FileInfo


def other_trees(output: str, files: Sequence[FileInfo]) -> Mapping[str, Columns]:
    """Return the other trees of a skim, by name: of each file once, in the order of the data."""
    found: dict[str, list[Columns]] = defaultdict(list)
    for skimmed in (each for file in files for each in file.skims if each.name == output):
        for tree, columns in skimmed.trees:
            found[tree].append(columns)
    return {tree: joined(chunks) for tree, chunks in found.items()}
