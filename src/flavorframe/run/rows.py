"""The rows of snapshots on their way, in the order of the data, to files or to memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from flavorframe.engine.partial import Chunk
from flavorframe.errors import RunError
from flavorframe.outputs import Snapshot
from flavorframe.plan import Plan
from flavorframe.result import SnapshotWriter, Table
from flavorframe.result.result import WrittenSnapshot
from flavorframe.writing import hidden_beside

Stored = Table | WrittenSnapshot
BLOCK = 100_000
"""Rows of an earlier file that are copied at once."""
FEW = 64
"""Chunks that are kept apart in memory before they become one."""


class MemoryRows:
    """Gathers chunks of rows in memory."""

    def __init__(self) -> None:
        self._chunks: list[Chunk] = []
        self._recent: list[Chunk] = []

    def write(self, chunk: Chunk) -> None:
        """Add the rows of a chunk; few chunks are kept, however many come."""
        self._recent.append(chunk)
        if len(self._recent) >= FEW:
            self._chunks, self._recent = [*self._chunks, joined(self._recent)], []
        if len(self._chunks) >= FEW:
            self._chunks = [joined(self._chunks)]

    @property
    def has_columns(self) -> bool:
        """Whether a chunk has come, and with it the names of the columns."""
        return bool(self._chunks or self._recent)

    @property
    def table(self) -> Table:
        """All rows so far."""
        return Table(joined([*self._chunks, *self._recent]))


class DividedWriter:
    """Writes rows that are divided evenly among files once all have come; all files or none.

    Until then they are in a hidden file beside them.
    """

    def __init__(self, spec: Snapshot) -> None:
        self._spec = spec
        self._hidden = hidden_beside(Path(spec.paths[0]).expanduser())
        self._whole = SnapshotWriter(self._hidden, format=spec.format, tree=spec.tree)

    def __enter__(self) -> DividedWriter:
        self._whole.__enter__()
        return self

    def write(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        self._whole.write(chunk)

    @property
    def has_columns(self) -> bool:
        """Whether a chunk has come."""
        return self._whole.has_columns

    def __exit__(self, *error: Any) -> None:
        self._whole.__exit__(*error)
        try:
            if error[0] is None:
                self._divide()
        finally:
            self._hidden.unlink(missing_ok=True)

    def _divide(self) -> None:
        spec, rows, reader = self._spec, self._whole.rows, _READERS[self._spec.format]
        with ExitStack() as stack:
            for number, path in enumerate(spec.paths):
                writer = SnapshotWriter(path, format=spec.format, tree=spec.tree)
                stack.enter_context(writer)
                start = number * rows // spec.files
                stop = (number + 1) * rows // spec.files
                for first in range(start, max(stop, start + 1), BLOCK):
                    writer.write(reader(self._hidden, spec.tree, first, min(first + BLOCK, stop)))


class Rows:
    """The snapshots of a plan: files where they have a path, tables in memory otherwise.

    ``earlier`` are the rows of a run that is being completed: `copy` puts them in their places.
    """

    def __init__(self, plan: Plan, earlier: Mapping[str, Stored]) -> None:
        self._plan = plan
        self._earlier = earlier
        self._copied = dict.fromkeys(earlier, 0)
        self._snapshots = {n: o for n, o in plan.outputs if isinstance(o, Snapshot)}
        self._writers: dict[str, SnapshotWriter | DividedWriter | MemoryRows] = {}
        self._stack = ExitStack()
        self.counts = dict.fromkeys(self._snapshots, 0)

    def __enter__(self) -> Rows:
        for name, output in self._snapshots.items():
            self._writers[name] = self._writer(output)
        return self

    def _writer(self, spec: Snapshot) -> SnapshotWriter | DividedWriter | MemoryRows:
        if spec.path is None:
            return MemoryRows()
        if spec.files > 1:
            return self._stack.enter_context(DividedWriter(spec))
        writer = SnapshotWriter(spec.path, format=spec.format, tree=spec.tree)
        return self._stack.enter_context(writer)

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def write(self, tables: Mapping[str, tuple[Chunk, ...]]) -> None:
        """Add the rows of a partition."""
        for name, chunks in tables.items():
            for chunk in chunks:
                self._writers[name].write(chunk)
                self.counts[name] += length(chunk)

    def copy(self, until: Mapping[str, int] | None) -> None:
        """Add the earlier rows up to those numbers, or (``None``) all that are left."""
        for name, stored in self._earlier.items():
            stop = len(stored) if until is None else until[name]
            for chunk in read_rows(stored, self._snapshots[name], self._copied[name], stop):
                self.write({name: (chunk,)})
            self._copied[name] = stop

    def complete(self) -> None:
        """Give a snapshot its columns where there was no partition to tell them."""
        for name, writer in self._writers.items():
            if not writer.has_columns:
                names = self._snapshots[name].column_names(weighted=self._plan.is_weighted)
                writer.write({column: np.zeros(0) for column in names})

    @property
    def stored(self) -> dict[str, Stored]:
        """The tables, and what was written to files, so far."""
        return {name: self._stored(name) for name in self._writers}

    def _stored(self, name: str) -> Stored:
        writer = self._writers[name]
        if not isinstance(writer, MemoryRows):
            paths = (str(Path(path).expanduser()) for path in self._snapshots[name].paths)
            return WrittenSnapshot(tuple(paths), self.counts[name])
        if writer.has_columns:
            return writer.table
        names = self._snapshots[name].column_names(weighted=self._plan.is_weighted)
        return Table({column: np.zeros(0) for column in names})


def joined(chunks: list[Chunk]) -> Chunk:
    """Return one chunk of all rows."""
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def length(chunk: Chunk) -> int:
    """Return the number of rows."""
    return len(next(iter(chunk.values()), ()))


def read_rows(stored: Stored, spec: Snapshot, start: int, stop: int) -> Iterator[Chunk]:
    """Yield rows of a snapshot in blocks; raises RunError where its file is not there any more."""
    if start == stop:
        return
    if isinstance(stored, Table):
        yield {name: values[start:stop] for name, values in stored.columns.items()}
        return
    files = len(stored.paths)
    for number, path in enumerate(map(Path, stored.paths)):
        before, after = (i * stored.rows // files for i in (number, number + 1))
        first, last = max(start, before) - before, min(stop, after) - before
        if first < last and not path.is_file():
            raise RunError(f"the snapshot {path} is not there any more: run the analysis anew.")
        reader = _parquet_rows if path.suffix == ".parquet" else _root_rows
        for begin in range(first, last, BLOCK):
            yield reader(path, spec.tree, begin, min(begin + BLOCK, last))


def _root_rows(path: Path, tree: str, start: int, stop: int) -> Chunk:
    import uproot

    with uproot.open(path) as file:
        rows: Chunk = file[tree].arrays(entry_start=start, entry_stop=stop, library="np")
        return rows


def _parquet_rows(path: Path, tree: str, start: int, stop: int) -> Chunk:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, memory_map=True).slice(start, stop - start)
    return {name: table[name].to_numpy() for name in table.column_names}


_READERS = {"ttree": _root_rows, "rntuple": _root_rows, "parquet": _parquet_rows}
