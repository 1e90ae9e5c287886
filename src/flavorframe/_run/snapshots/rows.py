"""The rows of all snapshots of a run: they are written in the order of the data."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from flavorframe._files.file_sets import FileSet
from flavorframe._planning.plan import Plan
from flavorframe._run.outcome import Gap, Outcome
from flavorframe._run.snapshots.earlier_rows import EarlierRows, Stored
from flavorframe._run.snapshots.manifest import write_manifest
from flavorframe._run.snapshots.memory import MemoryRows
from flavorframe._run.snapshots.other_trees import other_trees
from flavorframe._run.snapshots.to_files import FileRows
from flavorframe._snapshots.columns import row_count
from flavorframe.engines import FileInfo
from flavorframe.engines.partial import Chunk
from flavorframe.errors import OutputError
from flavorframe.outputs import Snapshot
from flavorframe.result import Table, WrittenSnapshot
from flavorframe.skims import Skim

Tables = Mapping[str, tuple[Chunk, ...]]
"""Chunks of rows by the name of their snapshot."""


class Rows:
    """The snapshots of a plan: files where they have a path, tables in memory otherwise.

    `core.ordering` calls, in the order of the data, `enter` at the beginning of each range of a
    file, `write` with rows, and `add_gap` for events that were not read. ``earlier`` is a run that
    is being completed: its rows are copied to their places. An output that cannot be written is in
    ``unwritten`` with the reason, or with ``raises`` the error is raised.
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
        self._counts = dict.fromkeys(self._snapshots, 0)
        self.gaps: list[Gap] = []
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
            writer.discard()

    def enter(self, index: int) -> None:
        """Copy the earlier rows that come before a range of events, given by its number."""
        if self._outcome is not None:
            self._copy(self._outcome.gaps[index].rows)

    def write(self, tables: Tables) -> None:
        """Add the rows of a partition."""
        for name, chunks in tables.items():
            for chunk in chunks:
                with self._noting(name):
                    if name in self._writers:
                        self._writers[name].write(chunk)
                self._counts[name] += row_count(chunk)

    def add_gap(self, file: str, start: int, stop: int | None) -> None:
        """Note events that were not read; those that follow each other are one gap."""
        last = self.gaps[-1] if self.gaps else None
        if last and (last.file, last.stop, last.rows) == (file, start, self._counts):
            self.gaps[-1] = replace(last, stop=stop)
        else:
            self.gaps.append(Gap(file, start, stop, dict(self._counts)))

    def finish(self, files: Sequence[FileInfo] = ()) -> None:
        """Write what is left, and give a snapshot its columns where it has no rows.

        Skims get the other trees of the ``files`` that were opened.
        """
        self._copy(None)
        for name, writer in list(self._writers.items()):
            with self._noting(name):
                if not writer.has_columns:
                    writer.write(self._no_rows(name).columns)
                if isinstance(writer, FileRows):
                    self._hashes[name] = writer.finish(other_trees(name, files))

    def write_manifests(self, outcome: Outcome) -> None:
        """Write the manifests; an output without its manifest leaves the outcome."""
        for name in list(outcome.rows):
            with self._noting(name):
                earlier = self._earlier[name].lineage() if name in self._earlier else []
                write_manifest(name, outcome, earlier)
            if name in self.unwritten:
                del outcome.rows[name]

    @contextlib.contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        """Go on without an output that cannot be written."""
        try:
            yield
        except OutputError as error:
            if self._raises:
                raise
            self.unwritten[name] = str(error)
            self._writers.pop(name).discard()

    def _copy(self, until: Mapping[str, int] | None) -> None:
        """Add the earlier rows up to those numbers, or (``None``) all that are left."""
        for name, rows in self._earlier.items():
            for chunk in rows.next(None if until is None else until[name], self._counts[name]):
                self.write({name: (chunk,)})
            if until is None and not len(rows.stored) and self._was_read:
                self.write({name: (rows.no_rows(),)})

    @property
    def _was_read(self) -> bool:
        """Whether a partition gave the earlier rows their types, though there are none of it."""
        return self._outcome is not None and self._outcome.events > 0

    def _no_rows(self, name: str) -> Table:
        if isinstance(self._snapshots[name], Skim):
            raise OutputError(
                "no event was read, so the types of its branches are not known: it was not written."
            )
        names = self._snapshots[name].column_names(weighted=self._plan.part_of(name).is_weighted)
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
            return WrittenSnapshot(tuple(paths), self._counts[name], self._hashes.get(name, ()))
        return writer.table if writer.has_columns else self._no_rows(name)
