"""Find the tree in a file: a TTree or an RNTuple."""

from __future__ import annotations

from typing import Any

from flavorframe._files.remote import access
from flavorframe._rootio.read_errors import DamageError, file_errors, reason
from flavorframe.errors import FileError, did_you_mean

TREES = ("Events", "Tree3Mu/ntuple")
"""The names that trees are looked for under when none is given."""
NTUPLE = "ROOT::RNTuple"
CLASSES = ("TTree", "TNtuple", "TNtupleD", NTUPLE)
UNREADABLE = {
    "TChain": "a TChain, which lists trees of other files: give those files",
    "ROOT::Experimental::RNTuple": "an RNTuple from before ROOT 6.34, when its format was not yet "
    "settled: write it anew with a later ROOT",
}
"""Classes that are like a tree, and why they cannot be read."""


def open_by_uproot(path: str) -> Any:
    """Return the file as uproot opens it; raises FileError for what is no ROOT file."""
    import uproot

    if access.is_remote(path):
        return access.open_remote(path)
    from flavorframe._rootio.opening.local_file import LocalFile

    with file_errors(path, "not a readable ROOT file"):
        return uproot.open({path: None}, handler=LocalFile)  # of a bare path it splits a tree off


def find_tree(path: str, file: Any) -> str:
    """Return the name of the tree; raises FileError where there is none, or no obvious one."""
    trees = tree_names(file)
    known = [tree for tree in TREES if tree in trees]
    if known or len(trees) == 1:
        return (known or trees)[0]
    if not trees:
        raise FileError(f"{path}: the file holds neither a TTree nor an RNTuple.{_almost(file)}")
    raise FileError(f"{path}: the file holds the trees {', '.join(trees)}: say which with tree=.")


def tree_names(file: Any) -> list[str]:
    """Return the names of the trees in an open file."""
    names = file.classnames(cycle=False)
    return [name for name, cls in names.items() if cls in CLASSES]


def _almost(file: Any) -> str:
    names = file.classnames(cycle=False)
    return "".join(f" {n} is {UNREADABLE[cls]}." for n, cls in names.items() if cls in UNREADABLE)


def get_tree(path: str, file: Any, tree: str) -> Any:
    """Return a tree by its name, a TTree as uproot has it or a CheckedNTuple.

    Raises FileError where the file does not have it, DamageError where it cannot be read.
    """
    try:
        kind = file.classname_of(tree)
        unreadable = UNREADABLE.get(kind)
        if unreadable is not None:
            raise FileError(f"{path}: {tree} is {unreadable}.")
        found = file[tree]
        if kind == NTUPLE:  # which the object may not say a second time
            from flavorframe._rootio.ntuple.checksums import CheckedNTuple

            return CheckedNTuple.of(found)
        found.num_entries  # noqa: B018 - what is no tree has none
    except (KeyError, AttributeError) as error:
        trees = tree_names(file)
        if tree in trees:
            raise DamageError(f"tree {tree}: {reason(error)}") from error
        listed = f" It holds {', '.join(trees)}." if trees else " It holds no tree at all."
        raise FileError(
            f"{path}: the file has no tree {tree!r}.{listed}{did_you_mean(tree, trees)}"
        ) from None
    return found
