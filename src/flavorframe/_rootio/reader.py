"""Read columns of a ROOT file with uproot, TTree or RNTuple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._files.remote import access
from flavorframe._files.versions import Version
from flavorframe._rootio.arrays import Array, Names, Packed
from flavorframe._rootio.baskets import (
    BasketIndex,
    Shape,
    Source,
    Spent,
    UnusualError,
    divided,
    read_events,
)
from flavorframe._rootio.boundary import DamageError, reading, reason
from flavorframe._rootio.branches import branches_of, shape_of
from flavorframe._rootio.field_sizes import FieldSizes
from flavorframe._rootio.kept import kept, sized
from flavorframe._rootio.models import kept_models
from flavorframe._rootio.schema import BranchInfo, Schema
from flavorframe._rootio.source import RemoteBytes, source_of
from flavorframe.errors import FileError

if TYPE_CHECKING:
    from flavorframe._rootio.pages import Pages

TREES = ("Events", "Tree3Mu/ntuple")
"""Where trees are looked for when none is named."""
NTUPLE = "ROOT::RNTuple"
CLASSES = ("TTree", "TNtuple", "TNtupleD", NTUPLE)
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
        with kept_models(), reading(path, "its content cannot be read"):
            self._file = _open(path)
            self.tree = tree or _find_tree(path, self._file)
            self._tree = _get_tree(path, self._file, self.tree)
            self.events = int(self._tree.num_entries)
            if self.events < 0:
                raise DamageError(f"tree {self.tree} has {self.events} events")
            infos, self._branches = branches_of(self._tree, path)
            self.schema = Schema(self.tree, infos)
            self.shorter = _shorter(self._branches, self.events)
        self._name = object()  # of what is kept: by itself the file would stay open
        self._indices: dict[str, BasketIndex] = {}
        self._shapes: dict[str, Shape] = {}
        self._sizes: dict[str, int] = {}
        self._edges: dict[tuple[str, ...], tuple[int, ...]] = {}

    def close(self) -> None:
        """Let go of the file; what reads it still fails."""
        self._file.close()

    def __del__(self) -> None:  # what uproot has made refers to itself, and would stay open
        if hasattr(self, "_file") and not access.is_remote(self.path):
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
        where = f"branch {branch} of tree {self.tree} cannot be read in events {start} to {stop}"
        with reading(self.path, where):
            try:
                return self._read(branch, start, stop, rows, spent)
            except UnusualError:
                return self._read_by_uproot(branch, start, stop, spent)[rows]

    def _read(
        self, branch: str, start: int, stop: int, rows: Array, spent: Spent
    ) -> Array | Packed:
        _require_compiled()  # before anything is read that uproot would read once more
        shape, index = self._shape(branch), self._index(branch)
        return read_events(self._source, index, shape, start, stop, rows, spent)

    def _read_by_uproot(
        self, branch: str, start: int, stop: int, spent: Spent
    ) -> Array | Names | Packed:
        info = self.schema.by_name[branch]
        if self._pages is None:
            array = self._array_of_baskets(branch, start, stop, spent)
        else:
            array = self._pages.read(self._branches[branch], start, stop, spent)
        if len(array) != stop - start:
            raise DamageError(f"it has values of {len(array)} events")
        with spent.on("decoding"):
            return _packed(array.layout, info) if info.shape == "list" else _flat(array, info)

    def _array_of_baskets(self, branch: str, start: int, stop: int, spent: Spent) -> Any:
        """Read a TTree's branch by uproot; large baskets that partitions share are kept."""
        index = self._known_index(branch)
        shared = index.shared(index.covering(start, stop), start, stop) if index else []
        if index is None or not shared:
            return self._array(branch, start, stop, spent)
        import awkward as ak

        parts = [
            self._part_of_basket(branch, index, number, a, b, spent) if number in shared
            else self._array(branch, a, b, spent)
            for a, b, number in divided(index.entries, start, stop)
        ]  # fmt: skip
        return parts[0] if len(parts) == 1 else ak.concatenate(parts)

    def _part_of_basket(
        self, branch: str, index: BasketIndex, number: int, start: int, stop: int, spent: Spent
    ) -> Any:
        first, end = index.entries[number : number + 2].tolist()
        key = (self._name, branch, number)
        whole = kept.get(key, lambda: sized(self._array(branch, first, end, spent)))
        return whole[start - first : stop - first]

    def _array(self, branch: str, start: int, stop: int, spent: Spent) -> Any:
        with spent.on("reading"):
            array = self._branches[branch].array(
                entry_start=start, entry_stop=stop, array_cache=None, library="ak"
            )
        share = (stop - start) / max(self.events, 1)
        spent.bytes += round(self.compressed_bytes(branch) * share)
        return array

    def common_edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        """Return the events at which all branches begin a basket: there nothing is read twice."""
        if branches not in self._edges:
            self._edges[branches] = self._find_common_edges(branches)
        return self._edges[branches]

    def _find_common_edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        if self._pages is not None:
            return tuple(self._pages.edges.tolist())
        indices = [self._known_index(branch) for branch in branches]
        edges = [set() if index is None else set(index.entries.tolist()) for index in indices]
        return tuple(sorted(set.intersection(*edges))) if edges else ()

    def _shape(self, branch: str) -> Shape:
        if branch not in self._shapes:
            self._shapes[branch] = shape_of(self._branches[branch])
        return self._shapes[branch]

    def _index(self, branch: str) -> BasketIndex:
        if branch not in self._indices:
            self._indices[branch] = BasketIndex.of(self._branches[branch])
        return self._indices[branch]

    def _known_index(self, branch: str) -> BasketIndex | None:
        """Return where baskets lie, None where that is not known: reading the branch tells why."""
        try:
            with reading(self.path, f"the baskets of branch {branch} cannot be found"):
                return self._index(branch)
        except FileError:
            return None

    def ahead(self, branches: Sequence[str], start: int, stop: int) -> AbstractContextManager[None]:
        """Ask a server at once for what the block will read of some branches.

        One after the other, each branch would cost the time to the server and back.
        """
        if not isinstance(self._source, RemoteBytes):
            return nullcontext()
        found = [place for branch in branches for place in self._places(branch, start, stop)]
        return self._source.ahead(list(dict.fromkeys(found)))

    def _places(self, branch: str, start: int, stop: int) -> list[tuple[int, int]]:
        """Return where the baskets of a branch lie that hold the events start ≤ i < stop.

        Large ones that other partitions share are left out: they are not read as a whole.
        """
        index = self._known_index(branch)
        if index is None:
            return []
        numbers = index.covering(start, stop)
        shared = index.shared(numbers, start, stop)
        wanted = [number for number in numbers if number not in shared]
        begins = index.positions[wanted]
        ends = begins + index.sizes[wanted]
        return list(zip(begins.tolist(), ends.tolist(), strict=True))

    def compressed_bytes(self, branch: str) -> int:
        """Return how many bytes of the file the branch takes."""
        if branch not in self._sizes:
            with reading(self.path, f"the size of branch {branch} cannot be read"):
                stored = self._branches[branch]
                of_ttree = hasattr(stored, "compressed_bytes")
                size = stored.compressed_bytes if of_ttree else self._field_sizes.of(stored)
                self._sizes[branch] = int(size)
        return self._sizes[branch]

    @cached_property
    def _pages(self) -> Pages | None:
        """The pages of an RNTuple; None for a TTree."""
        from flavorframe._rootio.pages import Pages

        if hasattr(self._tree, "branches"):
            return None
        with reading(self.path, "its clusters cannot be found"):
            return Pages(self._tree, self._source)

    @cached_property
    def _field_sizes(self) -> FieldSizes:
        return FieldSizes(self._tree)


def _require_compiled() -> None:
    try:
        from flavorframe._rootio import _native  # noqa: F401 - only whether it is there
    except ImportError:  # installed without a compiler
        raise UnusualError("the compiled loops are not installed") from None


def _open(path: str) -> Any:
    import uproot

    if access.is_remote(path):
        return access.open_remote(path)
    from flavorframe._rootio.local_file import LocalFile

    with reading(path, "not a readable ROOT file"):
        return uproot.open({path: None}, handler=LocalFile)  # of a bare path it splits a tree off


def _shorter(branches: Mapping[str, Any], events: int) -> dict[str, int]:
    """Return the number of entries of each branch that has fewer than its tree.

    Raises DamageError where not one of them has as many.
    """
    entries = {name: int(branch.num_entries) for name, branch in branches.items()}
    longest = max(entries, key=entries.__getitem__, default=None)
    if longest is not None and entries[longest] < events:
        raise DamageError(
            f"the tree has {events} events, and its longest branch, {longest}, has "
            f"{entries[longest]} entries"
        )
    return {name: number for name, number in entries.items() if number < events}


def require_whole(
    path: str, schema: Schema, events: int, shorter: Mapping[str, int], branches: Sequence[str]
) -> None:
    """Raise FileError where one of the branches, or its counter, is shorter than its tree."""
    counters = [schema.by_name[branch].counter for branch in branches]
    for branch in (*branches, *filter(None, counters)):
        if branch in shorter:
            raise FileError(
                f"{path}: branch {branch} has {shorter[branch]} entries, and tree {schema.tree} "
                f"has {events}: it was not filled to the end."
            )


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
        found = file[tree]
        if found.classname == NTUPLE:
            from flavorframe._rootio.ntuple import CheckedNTuple

            return CheckedNTuple.of(found)
        found.num_entries  # noqa: B018 - what is no tree has none
    except (KeyError, AttributeError) as error:
        trees = _trees(file)
        if tree in trees:
            raise DamageError(f"tree {tree}: {reason(error)}") from error
        listed = f" It holds {', '.join(trees)}." if trees else " It holds no tree at all."
        raise FileError(
            f"{path}: the file has no tree {tree!r}.{listed}{did_you_mean(tree, trees)}"
        ) from None
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
    sizes = np.diff(offsets)
    if (sizes < 0).any() or offsets[-1] > len(layout.content):
        raise DamageError("its lists do not fit its values")
    content = layout.content[: offsets[-1]]
    values = _names(ak.to_list(content)) if info.kind == "string" else np.asarray(content.data)
    return Packed(values, sizes, offsets[:-1])


def _names(values: list[str]) -> Names:
    words = {word: i for i, word in enumerate(dict.fromkeys(values))}
    return Names(np.array([words[v] for v in values], np.int32), tuple(words))
