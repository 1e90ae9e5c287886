"""Other trees of a file, which are small and copied whole: ``Runs`` beside ``Events``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from flavorframe._rootio.branches import branches_of
from flavorframe._rootio.opening.trees import get_tree, tree_names
from flavorframe._rootio.schema import BranchInfo
from flavorframe._snapshots.columns import Columns
from flavorframe._snapshots.reading import columns_of


def read_trees(
    path: str,
    file: Any,
    patterns: tuple[str, ...],
    own: str,
    is_wanted: Callable[[BranchInfo], bool],
) -> Iterator[tuple[str, Columns]]:
    """Yield the trees of an open file whose names fit, all but one, with the branches wanted."""
    for name in tree_names(file):
        if name == own or not any(fnmatchcase(name, pattern) for pattern in patterns):
            continue
        tree = get_tree(path, file, name)
        infos = branches_of(tree, path).infos
        wanted = [info.name for info in infos if is_wanted(info) and not info.member]
        yield name, columns_of(tree, wanted) if wanted else {}
