"""Read columns of a ROOT file with uproot, TTree or RNTuple."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import numpy as np

from flavorframe.engine.columnar.arrays import Array, Names, Packed
from flavorframe.engine.columnar.baskets import (
    VECTOR_HEADER,
    BasketIndex,
    DamageError,
    Kind,
    Shape,
    Source,
    Spent,
    UnusualError,
    read_events,
)
from flavorframe.engine.columnar.models import kept_models
from flavorframe.engine.columnar.source import RemoteBytes, source_of
from flavorframe.errors import FileError
from flavorframe.layout.schema import BranchInfo, Schema
from flavorframe.remote import access

KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool"}
TREES = ("Events", "Tree3Mu/ntuple")
"""Where trees are looked for when none is named."""


class RootFile:
    """An open tree: its schema, the number of events, and its columns."""

    def __init__(self, path: str, tree: str | None = None) -> None:
        """Open the file; raises FileError where it or the tree cannot be read."""
        self.path = path
        self.version: tuple[int | str, ...] = ()  # of a local file, as `open_files` found it
        self._file = _open(path)
        self.tree = tree or _find_tree(path, self._file)
        self._tree = _get_tree(path, self._file, self.tree)
        self.events = int(self._tree.num_entries)
        self._branches = dict(_branches(self._tree))
        self.schema = Schema(self.tree, tuple(_info(*item) for item in self._branches.items()))
        self._indices: dict[str, BasketIndex] = {}
        self._shapes: dict[str, Shape] = {}
        self._edges: dict[tuple[str, ...], tuple[int, ...]] = {}

    @cached_property
    def _source(self) -> Source:
        return source_of(self.path, self._file)

    def read(
        self, branch: str, start: int, stop: int, rows: Array, spent: Spent
    ) -> Array | Names | Packed:
        """Return one column at the events start + ``rows``, which rise and lie before ``stop``.

        Notes in ``spent`` what that took. Raises FileError where the bytes are damaged.
        """
        try:
            return self._read(branch, start, stop, rows, spent)
        except UnusualError:
            return self._read_by_uproot(branch, start, stop, spent)[rows]
        except DamageError as error:
            raise self._unreadable(branch, start, stop, str(error)) from error

    def _read(
        self, branch: str, start: int, stop: int, rows: Array, spent: Spent
    ) -> Array | Packed:
        _require_compiled()  # before anything is read that uproot would read once more
        shape, index = self._shape(branch), self._index(branch)
        return read_events(self._source, index, shape, start, stop, rows, spent)

    def _read_by_uproot(
        self, branch: str, start: int, stop: int, spent: Spent
    ) -> Array | Names | Packed:
        info, stored = self.schema.by_name[branch], self._branches[branch]
        try:
            with spent.on("reading"):
                array = stored.array(entry_start=start, entry_stop=stop, library="ak")
            with spent.on("decoding"):
                column = _packed(array.layout, info) if info.shape == "list" else _flat(array, info)
        except Exception as error:  # whatever a library meets in damaged bytes, or on the way
            told = access.is_remote(self.path) and access.transport_error(self.path, error)
            raise told or self._unreadable(branch, start, stop, _reason(error)) from error
        spent.bytes += _compressed_bytes(stored, start, stop, self.events)
        return column

    def common_edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        """Return the events at which all branches begin a basket: there nothing is read twice."""
        if branches not in self._edges:
            self._edges[branches] = self._find_common_edges(branches)
        return self._edges[branches]

    def _find_common_edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        edges: Array = np.arange(0)
        try:
            for number, branch in enumerate(branches):
                own = self._index(branch).entries
                edges = np.intersect1d(edges, own) if number else own
        except (UnusualError, DamageError):  # damage is told when the branch is read
            return ()
        return tuple(edges.tolist())

    def _shape(self, branch: str) -> Shape:
        if branch not in self._shapes:
            self._shapes[branch] = _shape(self._branches[branch])
        return self._shapes[branch]

    def _index(self, branch: str) -> BasketIndex:
        if branch not in self._indices:
            self._indices[branch] = BasketIndex.of(self._branches[branch])
        return self._indices[branch]

    def _unreadable(self, branch: str, start: int, stop: int, reason: str) -> FileError:
        return FileError(
            f"{self.path}: branch {branch} of tree {self.tree} cannot be read in events "
            f"{start} to {stop}: {reason}"
        )

    def ahead(self, branches: Sequence[str], start: int, stop: int) -> AbstractContextManager[None]:
        """Ask a server at once for what the block will read of some branches.

        One after the other, each branch would cost the time to the server and back.
        """
        if not isinstance(self._source, RemoteBytes):
            return nullcontext()
        found = [place for branch in branches for place in self._places(branch, start, stop)]
        return self._source.ahead(list(dict.fromkeys(found)))

    def _places(self, branch: str, start: int, stop: int) -> list[tuple[int, int]]:
        """Return where the baskets of a branch lie that hold the events start ≤ i < stop."""
        try:
            index = self._index(branch)
        except (UnusualError, DamageError):  # told when the branch is read
            return []
        numbers = index.covering(start, stop)
        begins = index.positions[numbers.start : numbers.stop]
        ends = begins + index.sizes[numbers.start : numbers.stop]
        return list(zip(begins.tolist(), ends.tolist(), strict=True))

    def compressed_bytes(self, branch: str) -> int:
        """Return how many bytes of the file the branch takes."""
        return _compressed_bytes(self._branches[branch], 0, self.events, self.events)


def _require_compiled() -> None:
    try:
        from flavorframe.engine.columnar import _native  # noqa: F401 - only whether it is there
    except ImportError:  # installed without a compiler
        raise UnusualError("the compiled loops are not installed") from None


def _shape(branch: Any) -> Shape:
    """Return the shape of a TTree's branch; raises UnusualError where uproot has to read it."""
    import uproot

    if not hasattr(branch, "interpretation"):
        raise UnusualError("an RNTuple")
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


def _open(path: str) -> Any:
    import uproot

    if access.is_remote(path):
        return access.open_remote(path)
    try:
        return uproot.open(path)
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such file.") from None
    except PermissionError:
        raise FileError(f"{path}: no permission to read the file.") from None
    except Exception as error:
        reason = _reason(error).removeprefix("not a ROOT file: ")
        raise FileError(f"{path}: not a readable ROOT file: {reason}") from error


def _find_tree(path: str, file: Any) -> str:
    trees = _trees(file)
    known = [tree for tree in TREES if tree in trees]
    if known or len(trees) == 1:
        return (known or trees)[0]
    if not trees:
        raise FileError(f"{path}: the file holds neither a TTree nor an RNTuple.")
    raise FileError(f"{path}: the file holds the trees {', '.join(trees)}: say which with tree=.")


def _trees(file: Any) -> list[str]:
    names = file.classnames(cycle=False)
    return [name for name, cls in names.items() if cls == "TTree" or cls.endswith("RNTuple")]


def _get_tree(path: str, file: Any, tree: str) -> Any:
    from flavorframe.errors import did_you_mean

    try:
        with kept_models():
            found = file[tree]
        found.num_entries  # noqa: B018 - what is no tree has none
    except (KeyError, AttributeError):
        trees = _trees(file)
        listed = f" It holds {', '.join(trees)}." if trees else " It holds no tree at all."
        raise FileError(
            f"{path}: the file has no tree {tree!r}.{listed}{did_you_mean(tree, trees)}"
        ) from None
    except Exception as error:
        told = access.is_remote(path) and access.transport_error(path, error)
        raise told or FileError(f"{path}: tree {tree} cannot be read: {_reason(error)}") from error
    return found


def _branches(tree: Any) -> list[tuple[str, Any]]:
    if hasattr(tree, "branches"):
        return [(branch.name, branch) for branch in tree.itervalues(recursive=True)]
    return [(field.name, field) for field in tree.fields if not field.name.startswith("_")]


def _info(name: str, branch: Any) -> BranchInfo:
    if hasattr(branch, "interpretation"):
        return _tree_info(name, branch)
    return _ntuple_info(name, branch)


def _tree_info(name: str, branch: Any) -> BranchInfo:
    import uproot

    interpretation = branch.interpretation
    typename = getattr(interpretation, "typename", branch.typename)
    counter = branch.count_branch.name if branch.count_branch is not None else None
    shape = "scalar"
    if isinstance(interpretation, uproot.AsJagged):
        shape, interpretation = "list", interpretation.content
    if isinstance(interpretation, uproot.AsDtype) and not interpretation.inner_shape:
        kind = KINDS.get(interpretation.to_dtype.kind, "other")
        return BranchInfo(name, branch.typename, kind, shape, counter)
    if isinstance(interpretation, uproot.AsStrings):
        return BranchInfo(name, typename, "string", "scalar")
    if _is_vector_of_strings(branch):
        return BranchInfo(name, branch.typename, "string", "list")
    return BranchInfo(name, branch.typename, "other", "other")


def _is_vector_of_strings(branch: Any) -> bool:
    """Return whether each event has strings, as a vector of C++'s or as RDataFrame writes one."""
    return _VECTOR_OF_STRINGS.fullmatch(branch.typename.replace(" ", "")) is not None


_VECTOR_OF_STRINGS = re.compile(r"(std::vector|vector|ROOT::VecOps::RVec|RVec)<(std::)?string>")

_NTUPLE_KINDS = {
    "bool": "bool",
    "float": "float",
    "double": "float",
    "std::string": "string",
} | {f"std::{sign}int{bits}_t": "int" for sign in ("", "u") for bits in (8, 16, 32, 64)}


def _ntuple_info(name: str, field: Any) -> BranchInfo:
    typename = field.typename
    for prefix in ("ROOT::VecOps::RVec<", "std::vector<"):
        if typename.startswith(prefix):
            kind = _NTUPLE_KINDS.get(typename[len(prefix) : -1], "other")
            return BranchInfo(name, typename, kind, "list")
    if typename.startswith("ROOT::RNTupleCardinality<"):
        return BranchInfo(name, typename, "int", "scalar")
    return BranchInfo(name, typename, _NTUPLE_KINDS.get(typename, "other"), "scalar")


def _flat(array: Any, info: BranchInfo) -> Array | Names:
    import awkward as ak

    if info.kind == "string":
        return _names(ak.to_list(array))
    return np.asarray(ak.to_numpy(array))


def _packed(layout: Any, info: BranchInfo) -> Packed:
    import awkward as ak

    layout = layout.to_ListOffsetArray64(True)
    offsets = np.asarray(layout.offsets.data)
    content = layout.content[: offsets[-1]]
    values = _names(ak.to_list(content)) if info.kind == "string" else np.asarray(content.data)
    return Packed(values, offsets[:-1], np.diff(offsets))


def _names(values: list[str]) -> Names:
    words = {word: i for i, word in enumerate(dict.fromkeys(values))}
    return Names(np.array([words[v] for v in values], np.int32), tuple(words))


def _compressed_bytes(branch: Any, start: int, stop: int, events: int) -> int:
    share = (stop - start) / events if events else 0.0
    whole = branch.compressed_bytes if hasattr(branch, "compressed_bytes") else 0
    return round(whole * share)


def _reason(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{lines[0] if lines else 'no reason given'} ({type(error).__name__})"
