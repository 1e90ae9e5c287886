"""How a TTree's branch is stored: the kind that layouts see, and the shape that readers need."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from flavorframe._rootio.read_errors import LeftToUprootError
from flavorframe._rootio.schema import BranchInfo

VECTOR_HEADER = 10
"""Bytes before the elements of a ``std::vector``: byte count, version, number of elements."""
KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool"}


class Kind(IntEnum):
    """How entries are stored: a number each, a list of numbers, or a list of strings."""

    SCALARS = 0
    LISTS = 1
    STRINGS = 2


@dataclass(frozen=True)
class Shape:
    """The kind of a branch, the type of its numbers in the file, and the bytes before a list."""

    kind: Kind
    dtype: np.dtype[Any]
    header: int = 0


def info_of(name: str, branch: Any) -> BranchInfo:
    """Return what layouts see of an uproot branch."""
    known = _known_vector(branch)
    return _info(name, branch) if known is None else replace(known.info, name=name)


def shape_of(branch: Any) -> Shape:
    """Return the shape of an uproot branch; raises LeftToUprootError for what only it reads."""
    known = _known_vector(branch)
    return _shape(branch) if known is None else known.shape


class _Vector(NamedTuple):
    info: BranchInfo
    shape: Shape


_vectors: dict[Hashable, _Vector | None] = {}


def _known_vector(branch: Any) -> _Vector | None:
    """Return what a vector's branch holds, or None for branches of any other kind.

    It is remembered: uproot would need a quarter of the time to open a tree to find it each time.
    """
    features = _features(branch)
    if features is None:
        return None
    if features not in _vectors:
        try:
            _vectors[features] = _Vector(_info("", branch), _shape(branch))
        except LeftToUprootError:
            _vectors[features] = None
    return _vectors[features]


def _features(branch: Any) -> Hashable:
    """Return everything that decides what a vector's branch holds; None for other branches."""
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
        return Shape(Kind.STRINGS, np.dtype(np.uint8))
    header = None
    if isinstance(interpretation, uproot.AsJagged):
        header, interpretation = interpretation.header_bytes, interpretation.content
    plain = type(interpretation) is uproot.AsDtype and not interpretation.inner_shape
    if not plain or header not in (None, 0, VECTOR_HEADER):
        raise LeftToUprootError(str(branch.interpretation))
    dtype = interpretation.from_dtype
    if dtype.names is not None or dtype.itemsize not in (1, 2, 4, 8):
        raise LeftToUprootError(str(dtype))
    return Shape(Kind.SCALARS, dtype) if header is None else Shape(Kind.LISTS, dtype, header)


def _info(name: str, branch: Any) -> BranchInfo:
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
