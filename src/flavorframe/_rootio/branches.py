"""The branches of a TTree, or the fields of an RNTuple: their names, and what each holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from flavorframe._files.remote import access
from flavorframe._rootio.contents import NO_VALUE
from flavorframe._rootio.ntuple import fields
from flavorframe._rootio.read_errors import is_of_the_file, reason
from flavorframe._rootio.schema import BranchInfo
from flavorframe._rootio.tree.interpretation import Contents, contents_of
from flavorframe._rootio.tree.split_vectors import SplitVectors


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
    infos, stored = {}, {}
    for field in ntuple.fields:
        for place in () if fields.made_by_importer(field) else fields.places(field):
            infos[place.name] = _tried(file, place.name, partial(fields.info_of, place))
            stored[place.name] = place.field
    return Branches(tuple(infos.values()), stored)


def branches_of_tree(tree: Any, file: str) -> Branches:
    """Return the branches of a TTree of ``file``.

    A branch that uproot does not know is no reason to refuse the others.
    """
    found = list(tree.iteritems(recursive=True, full_paths=True))
    owns, paths = Counter(branch.name for _, branch in found), Counter(path for path, _ in found)
    names = _Names(owns.keys() | paths.keys(), SplitVectors(found))
    infos, stored = {}, {}
    for path, branch in found:
        own = branch.name
        name = own if owns[own] == 1 and (own == path or own not in paths) else path
        if name == path and paths[path] > 1:
            several = BranchInfo(name, f"{paths[path]} branches", "repeated", "other")
            named: Iterable[BranchInfo] = [_under(several, path, own)]
        else:
            read = _tried(file, name, partial(contents_of, branch))
            known = isinstance(read, Contents)
            named = names.given(name, path, own, read) if known else [_under(read, path, own)]
        for info in named:
            infos[info.name], stored[info.name] = info, branch
    return Branches(tuple(infos.values()), stored)


class _Names:
    """Gives names to what is in branches: to members of objects, and without brackets to arrays.

    No name is given that a branch has, or that was given before.
    """

    def __init__(self, taken: Iterable[str], vectors: SplitVectors) -> None:
        self._taken = set(taken)
        self._vectors = vectors

    def given(self, name: str, path: str, own: str, contents: Contents) -> Iterator[BranchInfo]:
        """Yield what layouts see of a branch."""
        if len(contents.values) != 1 or contents.values[0].member:
            why = "" if contents.values or contents.has_branches else NO_VALUE
            group = BranchInfo(name, contents.typename, "other", "group", contents.counter, why=why)
            yield _under(group, path, own)
            yield from self._members(name, path, own, contents)
            return
        (values,) = contents.values
        info = values.info(name, contents.typename, contents.counter)
        short = self._vectors.short_name(path, own, ())
        if not short and name.endswith("]") and values.dims:
            short = _BRACKETS.sub("", name)
        yield self._renamed(_under(info, path, own), [short])

    def _members(self, name: str, path: str, own: str, contents: Contents) -> Iterator[BranchInfo]:
        for values in contents.values:
            called, member = ".".join(values.called), ".".join(values.member)
            long = f"{path.rstrip('.')}.{member}"
            info = values.info(long, counter=contents.counter)
            info = replace(info, path=long, own=f"{own.rstrip('.')}.{member}")
            short = self._vectors.short_name(path, own, values.member)
            base = _BRACKETS.sub("", name).rstrip(".")
            yield self._renamed(info, [short, f"{base}.{called}", f"{base}.{member}"])

    def _renamed(self, info: BranchInfo, names: Iterable[str]) -> BranchInfo:
        """Return what is known under the first name that is free, if one is."""
        name = next((name for name in names if name and name not in self._taken), info.name)
        self._taken.add(name)
        if name == info.name:
            return info
        return replace(info, name=name, path=info.path or info.name)


_BRACKETS = re.compile(r"(\[[^\]]*\])+$")


def _under(info: BranchInfo, path: str, own: str) -> BranchInfo:
    """Return what is known of a branch, with its other names."""
    plain = own == path  # as in most files, which are to be opened fast
    return info if plain else replace(info, path=path, own=own)


def _tried(file: str, name: str, read: Callable[[], Any]) -> Any:
    """Return what a function returns, or that nothing is known where the file is to blame."""
    try:
        return read()
    except BaseException as error:
        on_the_way = access.is_remote(file) and access.transport_error(file, error)
        if on_the_way or not is_of_the_file(error):
            raise
        return BranchInfo(name, "unknown", "other", "other", why=reason(error))
