"""The branches of a TTree, or the fields of an RNTuple: their names, and what each holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from flavorframe._files.remote import access
from flavorframe._rootio.ntuple import fields
from flavorframe._rootio.read_errors import is_of_the_file, reason
from flavorframe._rootio.schema import BranchInfo
from flavorframe._rootio.tree import interpretation


class Branches(NamedTuple):
    """What layouts see of the branches of a tree, and uproot's branches by name."""

    infos: tuple[BranchInfo, ...]
    stored: Mapping[str, Any]


def branches_of(tree: Any, file: str) -> Branches:
    """Return the branches of a TTree, or the fields of an RNTuple, of ``file``."""
    return branches_of_tree(tree, file) if is_ttree(tree) else fields_of_ntuple(tree, file)


def is_ttree(tree: Any) -> bool:
    """Return whether a tree is a TTree; otherwise it is an RNTuple."""
    return hasattr(tree, "branches")


def fields_of_ntuple(ntuple: Any, file: str) -> Branches:
    """Return the fields of an RNTuple of ``file``, without those that only hold others."""
    found = {field.name: field for field in ntuple.fields if not fields.made_by_importer(field)}
    infos = [_info(file, name, field, fields.info_of) for name, field in found.items()]
    return Branches(tuple(infos), found)


def branches_of_tree(tree: Any, file: str) -> Branches:
    """Return the branches of a TTree of ``file``.

    A branch that uproot does not know is no reason to refuse the others.
    """
    found = list(tree.iteritems(recursive=True, full_paths=True))
    owns, paths = Counter(branch.name for _, branch in found), Counter(path for path, _ in found)
    infos, stored = {}, {}
    for path, branch in found:
        own = branch.name
        name = own if owns[own] == 1 and (own == path or own not in paths) else path
        if name == path and paths[path] > 1:
            info = BranchInfo(name, f"{paths[path]} branches", "repeated", "other")
        else:
            info = _info(file, name, branch, interpretation.info_of)
        plain = own == path  # as in most files, which are to be opened fast
        infos[name] = info if plain else replace(info, path=path, own=own)
        stored[name] = branch
    return Branches(tuple(infos.values()), stored)


def _info(
    path: str, name: str, branch: Any, info_of: Callable[[str, Any], BranchInfo]
) -> BranchInfo:
    try:
        return info_of(name, branch)
    except BaseException as error:
        on_the_way = access.is_remote(path) and access.transport_error(path, error)
        if on_the_way or not is_of_the_file(error):
            raise
        return BranchInfo(name, "unknown", "other", "other", why=reason(error))
