"""What the branches of a tree hold, as uproot and RNTuple's fields tell it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from flavorframe._files.remote import access
from flavorframe._rootio.baskets import VECTOR_HEADER, Kind, Shape, UnusualError
from flavorframe._rootio.boundary import is_of_the_file, reason
from flavorframe._rootio.schema import BranchInfo

KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool"}


class Branches(NamedTuple):
    """What layouts get to see of the branches of a tree, and the branches by their names."""

    infos: tuple[BranchInfo, ...]
    stored: Mapping[str, Any]


def branches_of(tree: Any, file: str) -> Branches:
    """Return the branches of a TTree, or the fields of an RNTuple, of ``file``.

    That uproot does not know one of them is no reason to refuse the rest.
    """
    if not hasattr(tree, "branches"):
        fields = {field.name: field for field in tree.fields if not _is_of_importer(field)}
        return Branches(tuple(_info(file, *item) for item in fields.items()), fields)
    found = list(tree.iteritems(recursive=True, full_paths=True))
    owns, paths = Counter(branch.name for _, branch in found), Counter(path for path, _ in found)
    infos, stored = {}, {}
    for path, branch in found:
        own = branch.name
        name = own if owns[own] == 1 and (own == path or own not in paths) else path
        if name == path and paths[path] > 1:
            info = BranchInfo(name, f"{paths[path]} branches", "repeated", "other")
        else:
            info = _info(file, name, branch)
        plain = own == path  # as in most files, which are to be opened fast
        infos[name] = info if plain else replace(info, path=path, own=own)
        stored[name] = branch
    return Branches(tuple(infos.values()), stored)


def _is_of_importer(field: Any) -> bool:
    """Return whether ROOT's importer of TTrees made the field, to hold others: ``_collection0``."""
    return field.name.startswith("_") and not field.typename


def _info(path: str, name: str, branch: Any) -> BranchInfo:
    try:
        return _info_of(name, branch)
    except BaseException as error:
        on_the_way = access.is_remote(path) and access.transport_error(path, error)
        if on_the_way or not is_of_the_file(error):
            raise
        return BranchInfo(name, "unknown", "other", "other", why=reason(error))


def _info_of(name: str, branch: Any) -> BranchInfo:
    if not _is_of_ttree(branch):
        return _ntuple_info(name, branch)
    known = _known_vector(branch)
    if known is None:
        return _tree_info(name, branch)
    return replace(known.info, name=name)


def shape_of(branch: Any) -> Shape:
    """Return the shape of a TTree's branch; raises UnusualError where uproot has to read it."""
    if not _is_of_ttree(branch):
        raise UnusualError("an RNTuple")
    known = _known_vector(branch)
    return _shape(branch) if known is None else known.shape


def _is_of_ttree(branch: Any) -> bool:
    return hasattr(type(branch), "interpretation")  # on the branch itself it would be worked out


class _Vector(NamedTuple):
    info: BranchInfo
    shape: Shape


_vectors: dict[tuple[Any, ...], _Vector | None] = {}


def _known_vector(branch: Any) -> _Vector | None:
    """Return what a vector's branch holds, or None for branches of any other kind.

    To work it out anew for each of them takes uproot a quarter of the time to open a tree.
    """
    likeness = _likeness(branch)
    if likeness is None:
        return None
    if likeness not in _vectors:
        try:
            _vectors[likeness] = _Vector(_tree_info("", branch), _shape(branch))
        except UnusualError:
            _vectors[likeness] = None
    return _vectors[likeness]


def _likeness(branch: Any) -> tuple[Any, ...] | None:
    """Return all that decides what a vector's branch holds, or None for other branches."""
    leaves = branch.member("fLeaves")
    if branch.classname != "TBranchElement" or branch.branches or len(leaves) != 1:
        return None
    name = str(branch.member("fClassName"))
    if not branch.top_level or not _VECTOR_OF_PLAIN.fullmatch(name):
        return None
    leaf = leaves[0]
    if leaf.member("fLeafCount") is not None or "[" in leaf.member("fTitle"):
        return None
    return (
        name,
        branch.member("fStreamerType"),
        leaf.classname,
        leaf.member("fType", none_if_missing=True),
    )


def _shape(branch: Any) -> Shape:
    import uproot

    interpretation = branch.interpretation
    if _is_vector_of_strings(branch):
        return Shape(Kind.NAMES, np.dtype(np.uint8))
    header = None
    if isinstance(interpretation, uproot.AsJagged):
        header, interpretation = interpretation.header_bytes, interpretation.content
    plain = type(interpretation) is uproot.AsDtype and not interpretation.inner_shape
    if not plain or header not in (None, 0, VECTOR_HEADER):
        raise UnusualError(str(branch.interpretation))
    dtype = interpretation.from_dtype
    if dtype.names is not None or dtype.itemsize not in (1, 2, 4, 8):
        raise UnusualError(str(dtype))
    return Shape(Kind.SCALARS, dtype) if header is None else Shape(Kind.LISTS, dtype, header)


def _tree_info(name: str, branch: Any) -> BranchInfo:
    import uproot

    if branch.member("fStreamerType", none_if_missing=True) == _BITS:
        return BranchInfo(name, branch.typename, "other", "other")
    interpretation = branch.interpretation
    typename = getattr(interpretation, "typename", branch.typename)
    counter = branch.count_branch.name if branch.count_branch is not None else None
    shape = "scalar"
    if isinstance(interpretation, uproot.AsJagged):
        shape, interpretation = "list", interpretation.content
    if isinstance(interpretation, uproot.AsDtype) and not interpretation.inner_shape:
        return BranchInfo(name, branch.typename, _kind(interpretation.to_dtype), shape, counter)
    if isinstance(interpretation, uproot.AsStrings):
        return BranchInfo(name, typename, "string", "scalar")
    if _is_vector_of_strings(branch):
        return BranchInfo(name, branch.typename, "string", "list")
    return BranchInfo(name, branch.typename, "other", "other")


def _kind(dtype: np.dtype[Any]) -> str:
    return "unsigned" if dtype == np.uint64 else KINDS.get(dtype.kind, "other")


def _is_vector_of_strings(branch: Any) -> bool:
    """Return whether each event has strings, as a vector of C++'s or as RDataFrame writes one."""
    return _VECTOR_OF_STRINGS.fullmatch(branch.typename.replace(" ", "")) is not None


_BITS = 15
"""The streamer type of a TObject's ``fBits``: of one that is referenced, a number follows them."""
_VECTOR_OF_PLAIN = re.compile(r"vector<(string|[a-z ]+|U?Long64_t)>")
"""What is of ROOT's own, and so the same in each file."""
_VECTOR_OF_STRINGS = re.compile(r"(std::vector|vector|ROOT::VecOps::RVec|RVec)<(std::)?string>")

_NTUPLE_KINDS = {
    "bool": "bool",
    "float": "float",
    "double": "float",
    "std::string": "string",
} | {f"std::{sign}int{bits}_t": "int" for sign in ("", "u") for bits in (8, 16, 32, 64)}
_NTUPLE_KINDS["std::uint64_t"] = "unsigned"


def _ntuple_info(name: str, field: Any) -> BranchInfo:
    typename = field.typename
    for prefix in ("ROOT::VecOps::RVec<", "std::vector<"):
        if typename.startswith(prefix):
            kind = _NTUPLE_KINDS.get(typename[len(prefix) : -1], "other")
            return BranchInfo(name, typename, kind, "list")
    if typename.startswith("ROOT::RNTupleCardinality<"):
        return BranchInfo(name, typename, "int", "scalar")
    return BranchInfo(name, typename, _NTUPLE_KINDS.get(typename, "other"), "scalar")
