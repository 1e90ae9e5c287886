"""An open ROOT file: its tree, what that holds, and its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from flavorframe._files.remote import access
from flavorframe._files.versions import Version
from flavorframe._rootio.arrays import AnyColumn, Array, Column, Nested
from flavorframe._rootio.branches import branches_of, is_ttree
from flavorframe._rootio.opening.remote_file import RemoteFile
from flavorframe._rootio.opening.trees import find_tree, get_tree, open_by_uproot
from flavorframe._rootio.opening.uproot_models import models_restored
from flavorframe._rootio.other_trees import read_trees
from flavorframe._rootio.read_errors import DamageError, file_errors
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.schema import BranchInfo, Schema
from flavorframe._rootio.source import Range, Source
from flavorframe._rootio.totals import total_in
from flavorframe._rootio.tree.reader import TreeReader
from flavorframe._snapshots.columns import Columns
from flavorframe.errors import FileError

if TYPE_CHECKING:
    from flavorframe._rootio.candidate_rows.groups import Groups


class ColumnReader(Protocol):
    """Reads the columns of a tree, as `TreeReader` and `NTupleReader` do."""

    def read(self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats) -> AnyColumn:
        """Return a column at the events start + ``rows``."""

    def edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        """Return the events at which all branches begin a basket or cluster, and the end."""

    def places(self, branch: str, start: int, stop: int) -> list[Range]:
        """Return what a server can be asked for before it is read."""

    def compressed_bytes(self, branch: str) -> int:
        """Return how many bytes of the file a branch takes."""


class RootFile:
    """An open tree: its schema, the number of events, and its columns.

    ``shorter`` has the number of entries of each branch that has fewer than the tree.
    """

    def __init__(self, path: str, tree: str | None = None) -> None:
        """Open the file; raises FileError where it or the tree cannot be read."""
        self.path = path
        self.version: Version | None = None  # as `open_files` found it
        self._is_remote = access.is_remote(path)  # when Python ends, modules go before files
        with models_restored(), file_errors(path, "its content cannot be read"):
            self._file = open_by_uproot(path)
            self.tree = tree or find_tree(path, self._file)
            opened = get_tree(path, self._file, self.tree)
            self.events = int(opened.num_entries)
            if self.events < 0:
                raise DamageError(f"tree {self.tree} has {self.events} events")
            infos, branches = branches_of(opened, path)
            self.schema = Schema(self.tree, infos)
            self.shorter: Mapping[str, int] = _shorter(branches, self.events)
        source: Source = self._file.file.source
        self._source = RemoteFile(path, source) if self._is_remote else source
        self._reader = _reader_of(path, opened, self.events, self.schema, branches, self._source)
        self.groups: dict[tuple[str, ...], Groups] = {}  # where rows are candidates
        self.grouping = Lock()  # held while these are found
        self._sizes: dict[str, int] = {}
        self._edges: dict[tuple[str, ...], tuple[int, ...]] = {}

    def close(self) -> None:
        """Close the file; reading from it fails afterwards."""
        self._file.close()

    def __del__(self) -> None:  # uproot's objects refer to each other, and would keep it open
        if hasattr(self, "_file") and not self._is_remote:
            self._file.close()

    def read(self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats) -> Column:
        """Return one column at the events start + ``rows``, and note in ``stats`` what that took.

        ``rows`` are in ascending order, and start + rows lie before ``stop``. Raises FileError
        where the bytes are damaged.
        """
        column = self._read(branch, start, stop, rows, stats)
        assert not isinstance(column, Nested)
        return column

    def read_nested(
        self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats
    ) -> Nested:
        """Return one column of lists of lists; as `read`."""
        column = self._read(branch, start, stop, rows, stats)
        assert isinstance(column, Nested)
        return column

    def _read(self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats) -> AnyColumn:
        where = f"branch {branch} of tree {self.tree} cannot be read in events {start} to {stop}"
        with file_errors(self.path, where):
            return self._reader.read(branch, start, stop, rows, stats)

    def common_edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        """Return the events at which all branches begin a basket: there nothing is read twice."""
        if branches not in self._edges:
            self._edges[branches] = self._reader.edges(branches)
        return self._edges[branches]

    def ahead(self, branches: Sequence[str], start: int, stop: int) -> AbstractContextManager[None]:
        """Ask a server at once for what the block will read of some branches.

        One branch after the other would take the time to the server and back for each of them.
        """
        if not isinstance(self._source, RemoteFile):
            return nullcontext()
        found = [place for branch in branches for place in self._reader.places(branch, start, stop)]
        return self._source.ahead(list(dict.fromkeys(found)))

    def other_trees(
        self, patterns: tuple[str, ...], is_wanted: Callable[[BranchInfo], bool]
    ) -> dict[str, Columns]:
        """Return the whole of other trees whose names fit, with the branches that are wanted."""
        with file_errors(self.path, "its other trees cannot be read"):
            return dict(read_trees(self.path, self._file, patterns, self.tree, is_wanted))

    def total(self, name: str) -> float | None:
        """Return the sum of a branch of any tree, or of a histogram; None where it has neither."""
        with file_errors(self.path, f"{name} cannot be read"):
            return total_in(self.path, self._file, name)

    def compressed_bytes(self, branch: str) -> int:
        """Return how many bytes of the file the branch takes."""
        if branch not in self._sizes:
            with file_errors(self.path, f"the size of branch {branch} cannot be read"):
                self._sizes[branch] = self._reader.compressed_bytes(branch)
        return self._sizes[branch]


def _reader_of(
    path: str, tree: Any, events: int, schema: Schema, branches: Mapping[str, Any], source: Source
) -> ColumnReader:
    if is_ttree(tree):
        return TreeReader(path, events, schema, branches, source)
    from flavorframe._rootio.ntuple.reader import NTupleReader  # awkward takes long to import

    return NTupleReader(path, tree, schema, branches, source)


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
