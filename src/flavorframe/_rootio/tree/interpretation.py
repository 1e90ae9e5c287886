"""How a TTree's branch is stored: what layouts see of it, and the shape that readers need."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from flavorframe._rootio.contents import Values, of_dtype, of_form
from flavorframe._rootio.read_errors import LeftToUprootError
from flavorframe._rootio.tree.narrow_numbers import Narrow, dims_of, narrow_of

VECTOR_HEADER = 10
"""Bytes before the elements of a ``std::vector``: byte count, version, number of elements."""


class Kind(IntEnum):
    """How entries are stored: numbers, the same number of them in each; a list; or strings."""

    SCALARS = 0
    LISTS = 1
    STRINGS = 2


@dataclass(frozen=True)
class Shape:
    """How a branch is stored.

    Attributes:
        kind: Its kind.
        dtype: The type of its numbers in the file.
        header: The bytes before a list.
        dims: The lengths of arrays that do not vary.
        narrow: How the numbers are kept, where the file has less of them than memory.
    """

    kind: Kind
    dtype: np.dtype[Any]
    header: int = 0
    dims: tuple[int, ...] = ()
    narrow: Narrow | None = None

    @property
    def length(self) -> int:
        """How many numbers of the file an entry has, or an element of a list."""
        return math.prod(self.dims) * (1 if self.narrow is None else self.narrow.width)


class Contents(NamedTuple):
    """What a branch holds, and its type in C++; ``counter`` has the lengths of its lists.

    Where it has sub-branches, these have the values.
    """

    values: tuple[Values, ...]
    typename: str
    counter: str | None = None
    has_branches: bool = False


def contents_of(branch: Any) -> Contents:
    """Return what an uproot branch holds; no values where it has sub-branches for them."""
    known = _known(branch)
    if known is None:
        return _contents(branch)
    return known.contents._replace(counter=_counter(branch))


def shape_of(branch: Any) -> Shape:
    """Return the shape of an uproot branch; raises LeftToUprootError for what only it reads."""
    known = _known(branch)
    return _shape(branch) if known is None else known.shape


def raw_interpretation(branch: Any, narrow: Narrow) -> Any:
    """Return how uproot reads the bytes of numbers that it may not know to decode."""
    import uproot

    dtype = narrow.stored
    shape = (*dims_of(branch), *((narrow.width,) if narrow.width > 1 else ()))
    numbers = uproot.AsDtype(np.dtype((dtype, shape)))
    return uproot.AsJagged(numbers) if is_counted(branch) else numbers


def _counter(branch: Any) -> str | None:
    """Return the branch that has the lengths of a branch's lists; to ask uproot takes long."""
    leaves = branch.member("fLeaves")
    counted = len(leaves) == 1 and leaves[0].member("fLeafCount") is not None
    counter = branch.count_branch if counted else None
    return None if counter is None else str(counter.name)


def is_counted(branch: Any) -> bool:
    """Return whether another branch has the lengths of a branch's lists."""
    return branch.member("fLeaves")[0].member("fLeafCount") is not None


class _Known(NamedTuple):
    contents: Contents
    shape: Shape


_remembered: dict[Hashable, _Known | None] = {}


def _known(branch: Any) -> _Known | None:
    """Return what a plain branch or a vector's holds, or None for branches of any other kind.

    It is remembered: uproot would need a quarter of the time to open a tree to find it each time.
    """
    features = _features(branch)
    if features is None:
        return None
    if features not in _remembered:
        try:
            _remembered[features] = _Known(_contents(branch), _shape(branch))
        except LeftToUprootError:
            _remembered[features] = None
    return _remembered[features]


def _features(branch: Any) -> Hashable:
    """Return everything that decides what a branch holds; None where that is not so simple."""
    leaves = branch.member("fLeaves")
    if branch.branches or len(leaves) != 1:
        return None
    if branch.classname == "TBranch":
        return _features_of_leaf(leaves[0])
    if branch.classname != "TBranchElement":
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


def _features_of_leaf(leaf: Any) -> Hashable:
    """Return everything that decides what a leaf holds: one number an event, or a counted list."""
    counted = leaf.member("fLeafCount") is not None
    brackets = leaf.member("fTitle").count("[")
    if leaf.classname not in _LEAVES or leaf.member("fLen") != 1 or brackets != counted:
        return None
    return leaf.classname, leaf.member("fIsUnsigned"), counted


def is_fixed(interpretation: Any) -> bool:
    """Return whether uproot can give all entries as one numpy array: each has the same bytes."""
    import uproot

    return type(interpretation) is uproot.AsDtype


def _shape(branch: Any) -> Shape:
    import uproot

    narrow = narrow_of(branch)
    if narrow is not None:
        kind = Kind.LISTS if is_counted(branch) else Kind.SCALARS
        return _checked(Shape(kind, narrow.stored, 0, dims_of(branch), narrow))
    if _is_vector_of_strings(branch):
        return Shape(Kind.STRINGS, np.dtype(np.uint8))
    content, header = branch.interpretation, None
    if isinstance(content, uproot.AsJagged):
        header, content = content.header_bytes, content.content
    if not is_fixed(content) or header not in (None, 0, VECTOR_HEADER):
        raise LeftToUprootError(str(content))
    kind = Kind.SCALARS if header is None else Kind.LISTS
    dtype = content.from_dtype
    return _checked(Shape(kind, dtype.base, header or 0, dtype.shape))


def _checked(shape: Shape) -> Shape:
    """Return a shape that the compiled part knows; raises LeftToUprootError for any other."""
    nested = len(shape.dims) > (1 if shape.kind == Kind.SCALARS else 0)
    if nested or shape.dtype.names is not None or shape.dtype.itemsize not in (1, 2, 4, 8):
        raise LeftToUprootError(str(shape))
    return shape


def _contents(branch: Any) -> Contents:
    streamer = branch.member("fStreamerType", none_if_missing=True)
    if branch.branches and class_of(branch) != "TClonesArray":  # such a one has their number
        return Contents((), class_of(branch), has_branches=True)
    if streamer == _BASE and _holds_nothing(branch.file, branch.name.split(".")[-1]):
        return Contents((), branch.name.split(".")[-1])
    counter = _counter(branch)
    narrow = narrow_of(branch)
    if narrow is not None:
        lists = (None,) if is_counted(branch) else ()
        (values,) = of_dtype(narrow.dtype, (*lists, *dims_of(branch)))
        values = replace(values, type=narrow.typename)
        return Contents((values,), values.typename, counter)
    if streamer in _BOOKKEEPING:
        return Contents((_BOOKKEEPING[streamer],), _BOOKKEEPING[streamer].type, counter)
    if _is_vector_of_strings(branch):
        return Contents((Values((), (), "string", "std::string", (None,)),), branch.typename)
    return Contents(tuple(_interpreted(branch)), branch.typename, counter)


def _interpreted(branch: Any) -> Iterator[Values]:
    """Yield what a branch holds as uproot understands it."""
    import uproot

    interpretation = branch.interpretation
    jagged = isinstance(interpretation, uproot.AsJagged)
    content = interpretation.content if jagged else interpretation
    if is_fixed(content):
        yield from of_dtype(content.to_dtype, (None,) if jagged else ())
    elif isinstance(content, uproot.AsStrings):
        yield Values((), (), "string", "std::string", ())
    else:
        try:
            form = interpretation.awkward_form(branch.file)
        except uproot.interpretation.objects.CannotBeAwkward:
            if _holds_nothing(branch.file, class_of(branch)):
                return
            yield Values((), (), "other", branch.typename, (), _ONLY_BY_ROOT)
        else:
            yield from of_form(form)


def _holds_nothing(file: Any, classname: str) -> bool:
    """Return whether a file says that a class has no member, not even inherited or listed ones."""
    infos = file.streamers.get(classname, {}).values()
    inside = [_class_without_name(element) for info in infos for element in info.elements]
    return classname in file.streamers and all(_holds_nothing(file, name) for name in inside)


def _class_without_name(element: Any) -> str:
    """Return the class of what is no named member: what is inherited, or in a list of a class."""
    if element.classname == "TStreamerBase":
        return str(element.name)
    listed = _LISTED.match(element.title) if element.name == "This" else None
    return listed[1] if listed else ""


def class_of(branch: Any) -> str:
    """Return the class of the objects of a branch that has sub-branches, where the file says it."""
    if branch.top_level or branch.streamer is None:
        return str(branch.member("fClassName", none_if_missing=True) or "")
    return str(branch.streamer.typename)


def _is_vector_of_strings(branch: Any) -> bool:
    """Return whether each event has strings, as a vector of C++'s or as RDataFrame writes one."""
    if branch.classname != "TBranchElement":
        return False
    return _VECTOR_OF_STRINGS.fullmatch(branch.typename.replace(" ", "")) is not None


_LEAVES = frozenset(f"TLeaf{letter}" for letter in "BSILGFDO")
"""The classes of leaves that are numbers or truth values as they are."""
_ONLY_BY_ROOT = "the file does not say enough of these objects to take them apart"
_BASE = 0
"""The streamer type of what objects inherit from a class, stored whole."""
_BOOKKEEPING = {
    15: Values(
        (), (), "other", "uint32_t", (), "its entries are longer where objects are referred to"
    ),
    66: Values((), (), "other", "TObject", (), "it is ROOT's own bookkeeping of objects"),
}
"""What is of no use, by streamer type: a TObject's ``fBits``, behind which a number may follow, and
all that a TObject has."""
_LISTED = re.compile(r"<(.*)> ")
"""How the title of a list's only element begins: with the class that is in it."""
_VECTOR_OF_PLAIN = re.compile(r"vector<(string|[a-z ]+|U?Long64_t)>")
"""What is of ROOT's own, and so the same in each file."""
_VECTOR_OF_STRINGS = re.compile(r"(std::vector|vector|ROOT::VecOps::RVec|RVec)<(std::)?string>")
