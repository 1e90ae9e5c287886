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


class Rows:
    """The snapshots of a plan: files where they have a path, tables in memory otherwise.

    ``earlier`` are the rows of a run that is being completed: `copy` puts them in their places.
    """

    def __init__(self, plan: Plan, earlier: Mapping[str, Stored]) -> None:
        self._plan = plan
        self._earlier = earlier
        self._copied = dict.fromkeys(earlier, 0)
        self._snapshots = {n: o for n, o in plan.outputs if isinstance(o, Snapshot)}
        self._writers: dict[str, SnapshotWriter | MemoryRows] = {}
        self._stack = ExitStack()
        self.counts = dict.fromkeys(self._snapshots, 0)

    def __enter__(self) -> Rows:
        for name, output in self._snapshots.items():
            self._writers[name] = (
                MemoryRows()
                if output.path is None
                else self._stack.enter_context(
                    SnapshotWriter(output.path, format=output.format, tree=output.tree)
                )
            )
        return self

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
        if isinstance(writer, SnapshotWriter):
            return WrittenSnapshot((str(writer.path),), self.counts[name])
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
    path = Path(stored.paths[0])
    if not path.is_file():
        raise RunError(f"the snapshot {path} is not there any more: run the analysis anew.")
    reader = _parquet_rows if path.suffix == ".parquet" else _root_rows
    for first in range(start, stop, BLOCK):
        yield reader(path, spec.tree, first, min(first + BLOCK, stop))


def _root_rows(path: Path, tree: str, start: int, stop: int) -> Chunk:
    import uproot

    with uproot.open(path) as file:
        rows: Chunk = file[tree].arrays(entry_start=start, entry_stop=stop, library="np")
        return rows


def _parquet_rows(path: Path, tree: str, start: int, stop: int) -> Chunk:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, memory_map=True).slice(start, stop - start)
    return {name: table[name].to_numpy() for name in table.column_names}
