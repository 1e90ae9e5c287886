"""Read columns of a ROOT file with uproot, TTree or RNTuple."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import numpy as np

from flavorframe.engine.columnar.arrays import Array, Names, Packed
from flavorframe.engine.columnar.baskets import (
    BasketIndex,
    DamageError,
    Shape,
    Source,
    Spent,
    UnusualError,
    read_events,
)
from flavorframe.engine.columnar.branches import branches_of, shape_of
from flavorframe.engine.columnar.field_sizes import FieldSizes
from flavorframe.engine.columnar.models import kept_models
from flavorframe.engine.columnar.source import RemoteBytes, source_of
from flavorframe.errors import FileError
from flavorframe.layout.schema import BranchInfo, Schema
from flavorframe.remote import access
from flavorframe.versions import Version

TREES = ("Events", "Tree3Mu/ntuple")
"""Where trees are looked for when none is named."""
CLASSES = ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple")
UNREADABLE = {
    "TChain": "a TChain, which lists trees of other files: give those files",
    "ROOT::Experimental::RNTuple": "an RNTuple from before ROOT 6.34, when its format was not yet "
    "settled: write it anew with a later ROOT",
}
"""What is like a tree, and why it cannot be read."""


class RootFile:
    """An open tree: its schema, the number of events, and its columns."""

    def __init__(self, path: str, tree: str | None = None) -> None:
        """Open the file; raises FileError where it or the tree cannot be read."""
        self.path = path
        self.version: Version | None = None  # as `open_files` found it
        self._file = _open(path)
        self.tree = tree or _find_tree(path, self._file)
        self._tree = _get_tree(path, self._file, self.tree)
        self.events = int(self._tree.num_entries)
        infos, self._branches = branches_of(self._tree)
        self.schema = Schema(self.tree, infos)
        self._indices: dict[str, BasketIndex] = {}
        self._shapes: dict[str, Shape] = {}
        self._sizes: dict[str, int] = {}
        self._edges: dict[tuple[str, ...], tuple[int, ...]] = {}

    def close(self) -> None:
        """Let go of the file; what reads it still fails."""
        self._file.close()

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
        spent.bytes += round(self.compressed_bytes(branch) * (stop - start) / max(self.events, 1))
        return column

    def common_edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        """Return the events at which all branches begin a basket: there nothing is read twice."""
        if branches not in self._edges:
            self._edges[branches] = self._find_common_edges(branches)
        return self._edges[branches]

    def _find_common_edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        try:
            edges = [set(self._index(branch).entries.tolist()) for branch in branches]
        except (UnusualError, DamageError):  # damage is told when the branch is read
            return ()
        return tuple(sorted(set.intersection(*edges))) if edges else ()

    def _shape(self, branch: str) -> Shape:
        if branch not in self._shapes:
            self._shapes[branch] = shape_of(self._branches[branch])
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
        if branch not in self._sizes:
            stored = self._branches[branch]
            of_ttree = hasattr(stored, "compressed_bytes")
            size = stored.compressed_bytes if of_ttree else self._field_sizes.of(stored)
            self._sizes[branch] = int(size)
        return self._sizes[branch]

    @cached_property
    def _field_sizes(self) -> FieldSizes:
        return FieldSizes(self._tree)


def _require_compiled() -> None:
    try:
        from flavorframe.engine.columnar import _native  # noqa: F401 - only whether it is there
    except ImportError:  # installed without a compiler
        raise UnusualError("the compiled loops are not installed") from None


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
        reason = _unlike_root(path) or _reason(error)
        raise FileError(f"{path}: not a readable ROOT file: {reason}") from error


def _unlike_root(path: str) -> str | None:
    """Return why a local file cannot be one of ROOT's; None where it begins like one."""
    try:
        with open(path, "rb") as file:
            begin = file.read(4)
    except OSError as error:
        return f"{error.strerror}."
    return None if begin == b"root" else f"it begins with {begin!r}, not b'root'."


def _find_tree(path: str, file: Any) -> str:
    trees = _trees(file)
    known = [tree for tree in TREES if tree in trees]
    if known or len(trees) == 1:
        return (known or trees)[0]
    if not trees:
        raise FileError(f"{path}: the file holds neither a TTree nor an RNTuple.{_almost(file)}")
    raise FileError(f"{path}: the file holds the trees {', '.join(trees)}: say which with tree=.")


def _trees(file: Any) -> list[str]:
    names = file.classnames(cycle=False)
    return [name for name, cls in names.items() if cls in CLASSES]


def _almost(file: Any) -> str:
    names = file.classnames(cycle=False)
    return "".join(f" {n} is {UNREADABLE[cls]}." for n, cls in names.items() if cls in UNREADABLE)


def _get_tree(path: str, file: Any, tree: str) -> Any:
    from flavorframe.errors import did_you_mean

    try:
        unreadable = UNREADABLE.get(file.classname_of(tree))
        if unreadable is not None:
            raise FileError(f"{path}: {tree} is {unreadable}.")
        with kept_models():
            found = file[tree]
        found.num_entries  # noqa: B018 - what is no tree has none
    except (KeyError, AttributeError):
        trees = _trees(file)
        listed = f" It holds {', '.join(trees)}." if trees else " It holds no tree at all."
        raise FileError(
            f"{path}: the file has no tree {tree!r}.{listed}{did_you_mean(tree, trees)}"
        ) from None
    except FileError:
        raise
    except Exception as error:
        told = access.is_remote(path) and access.transport_error(path, error)
        raise told or FileError(f"{path}: tree {tree} cannot be read: {_reason(error)}") from error
    return found


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
    return Packed(values, np.diff(offsets), offsets[:-1])


def _names(values: list[str]) -> Names:
    words = {word: i for i, word in enumerate(dict.fromkeys(values))}
    return Names(np.array([words[v] for v in values], np.int32), tuple(words))


def _reason(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0].rstrip(",:") if lines else "no reason given"
    return f"{first} ({type(error).__name__})"
