"""The rows of snapshots on their way, in the order of the data, to files or to memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from flavorframe._files.file_sets import FileSet, sha256_of
from flavorframe._files.writing import writing
from flavorframe._planning.plan import Plan
from flavorframe._run.core.executor import Outcome
from flavorframe._run.snapshots.earlier_rows import BLOCK, EarlierRows, Stored
from flavorframe._snapshots.promotion import concatenated
from flavorframe._snapshots.reading import reader_of
from flavorframe.engines.partial import Chunk
from flavorframe.errors import OutputError
from flavorframe.outputs import Snapshot
from flavorframe.result import SnapshotWriter, Table, WrittenSnapshot

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

    def drop(self) -> None:
        """Forget the rows."""
        self._chunks, self._recent = [], []


class FileRows:
    """Writes rows to a file, or divides them evenly among several once all have come."""

    def __init__(self, spec: Snapshot, files: FileSet) -> None:
        path = Path(spec.path or "").expanduser()
        self._spec, self._files = spec, files
        self._writer = SnapshotWriter(path, format=spec.format, tree=spec.tree, files=files)
        self._writer.__enter__()

    def write(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        self._writer.write(chunk)

    @property
    def has_columns(self) -> bool:
        """Whether a chunk has come."""
        return self._writer.has_columns

    def finish(self) -> tuple[str, ...]:
        """Write the rest to hidden files that are to take their places; return their SHA-256."""
        self._writer.finish()
        with writing(self._writer.path):
            hidden = [self._writer.hidden] if self._spec.files == 1 else list(self._divided())
            return tuple(map(sha256_of, hidden))

    def _divided(self) -> Iterator[Path]:
        spec, rows, read = self._spec, self._writer.rows, reader_of(self._spec.format)
        for number, path in enumerate(spec.paths):
            writer = SnapshotWriter(path, format=spec.format, tree=spec.tree, files=self._files)
            start, stop = number * rows // spec.files, (number + 1) * rows // spec.files
            with writer:
                for first in range(start, max(stop, start + 1), BLOCK):
                    last = min(first + BLOCK, stop)
                    writer.write(read(self._writer.hidden, spec.tree, first, last))
            yield writer.hidden
        self._files.drop(self._writer.hidden)

    def drop(self) -> None:
        """Remove what was written."""
        error = OutputError()
        self._writer.__exit__(type(error), error, None)
        for path in self._spec.paths:
            self._files.drop_for(Path(path).expanduser())


class Rows:
    """The snapshots of a plan: files where they have a path, tables in memory otherwise.

    ``earlier`` is a run that is being completed: `copy` puts its rows in their places. What cannot
    be written is in ``unwritten`` with the reason, or raised where ``raises``.
    """

    def __init__(
        self, plan: Plan, earlier: Outcome | None, files: FileSet, *, raises: bool = False
    ) -> None:
        self._plan = plan
        self._outcome = earlier
        self._files = files
        self._raises = raises
        self._snapshots = {n: o for n, o in plan.outputs if isinstance(o, Snapshot)}
        self._earlier: dict[str, EarlierRows] = {}
        self._writers: dict[str, FileRows | MemoryRows] = {}
        self._hashes: dict[str, tuple[str, ...]] = {}
        self.counts = dict.fromkeys(self._snapshots, 0)
        self.unwritten: dict[str, str] = {}

    def __enter__(self) -> Rows:
        for output in self._snapshots.values():
            if output.path is not None:
                self._files.lock(Path(output.path).expanduser())
        stored = {} if self._outcome is None else self._outcome.rows
        self._earlier = {n: EarlierRows.of(r, self._snapshots[n]) for n, r in stored.items()}
        for name, output in self._snapshots.items():
            in_memory = output.path is None
            self._writers[name] = MemoryRows() if in_memory else FileRows(output, self._files)
        return self

    def __exit__(self, *error: object) -> None:
        for writer in self._writers.values():
            writer.drop()

    def write(self, tables: Mapping[str, tuple[Chunk, ...]]) -> None:
        """Add the rows of a partition."""
        for name, chunks in tables.items():
            for chunk in chunks:
                with self._noting(name):
                    if name in self._writers:
                        self._writers[name].write(chunk)
                self.counts[name] += length(chunk)

    @contextlib.contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        """Go on without an output that cannot be written."""
        try:
            yield
        except OutputError as error:
            if self._raises:
                raise
            self.give_up(name, str(error))

    def give_up(self, name: str, reason: str) -> None:
        """Drop the rows of an output, which cannot be written for some reason."""
        self.unwritten[name] = reason
        self._writers.pop(name).drop()

    def copy(self, until: Mapping[str, int] | None) -> None:
        """Add the earlier rows up to those numbers, or (``None``) all that are left."""
        for name, rows in self._earlier.items():
            for chunk in rows.next(None if until is None else until[name], self.counts[name]):
                self.write({name: (chunk,)})
            if until is None and not len(rows.stored) and self._was_read:
                self.write({name: (rows.no_rows(),)})

    @property
    def _was_read(self) -> bool:
        """Whether the types of the earlier rows are those of a partition, were there none of it."""
        return self._outcome is not None and self._outcome.partial.cutflow[0].events > 0

    def complete(self) -> None:
        """Write what is left, and give a snapshot its columns where no partition told them."""
        for name, writer in list(self._writers.items()):
            with self._noting(name):
                if not writer.has_columns:
                    writer.write(self._no_rows(name).columns)
                if isinstance(writer, FileRows):
                    self._hashes[name] = writer.finish()

    def _no_rows(self, name: str) -> Table:
        names = self._snapshots[name].column_names(weighted=self._plan.is_weighted)
        return Table({column: np.zeros(0) for column in names})

    @property
    def stored(self) -> dict[str, Stored]:
        """The tables, and what was written to files, so far."""
        found: dict[str, Stored] = {}
        for name in list(self._writers):
            with self._noting(name):
                found[name] = self._stored(name)
        return found

    def _stored(self, name: str) -> Stored:
        writer = self._writers[name]
        if not isinstance(writer, MemoryRows):
            paths = (str(Path(path).expanduser()) for path in self._snapshots[name].paths)
            return WrittenSnapshot(tuple(paths), self.counts[name], self._hashes.get(name, ()))
        return writer.table if writer.has_columns else self._no_rows(name)

    def earlier(self, name: str) -> list[dict[str, object]]:
        """Return which rows of a snapshot are those of files before, for its manifest."""
        return self._earlier[name].lineage() if name in self._earlier else []


def joined(chunks: list[Chunk]) -> Chunk:
    """Return one chunk of all rows."""
    return {name: concatenated(name, [chunk[name] for chunk in chunks]) for name in chunks[0]}


def length(chunk: Chunk) -> int:
    """Return the number of rows."""
    return len(next(iter(chunk.values()), ()))
