"""Write rows to one file: it appears whole under its name, or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from flavorframe._files.file_sets import FileSet
from flavorframe._files.writing import what_else, writing
from flavorframe._snapshots.columns import (
    Columns,
    Type,
    Types,
    listed,
    require_equal_lengths,
    row_count,
    type_of,
)
from flavorframe._snapshots.formats import (
    WRITERS,
    FormatWriter,
    format_of,
    require_pyarrow,
    storable,
)
from flavorframe._snapshots.promotion import in_type, joined, joint_type
from flavorframe._snapshots.reading import blocks, reader_of
from flavorframe.errors import RunError

BLOCK = 65_536
"""Rows written at once: enough that baskets, clusters and row groups are not tiny."""
MOST_BYTES = 1 << 27
"""Of rows that take more memory, fewer are written at once."""


class SnapshotWriter:
    """Write chunks of columns to one file, whole or not at all.

    Rows are buffered until there are enough to write well, so memory is bounded by a chunk. They go
    to a hidden file beside ``path``, which takes its name when the ``with`` block ends, and which
    is removed when the block fails. ``rows`` counts what was written. ROOT files get the
    ``other_trees`` as well, by name.

    The first chunk, which may have no rows, sets names and types of the columns: booleans,
    integers, and floats of 32 or 64 bits. Where a later chunk has a wider type, the rows so far are
    written anew, so the types do not depend on the order of the chunks.

    Args:
        path: The file to write.
        format: "ttree", "rntuple" or "parquet"; by default what the suffix says (``.root``: ttree).
        tree: The name of the tree in a ROOT file.
        overwrite: Whether a file that exists is replaced.
        files: A `FileSet` that puts the hidden file in its place later, with others.

    Raises:
        AnalysisError: For an unknown format.
        RunError: Where ``path`` is a folder, is not in a folder or (with ``overwrite=False``)
            exists; where a chunk has other columns than the first; where no chunk came; for
            Parquet without ``pyarrow``.
        OutputError: For what the system refuses, and for a number that no common type holds.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> folder = tempfile.TemporaryDirectory()
        >>> with folder, SnapshotWriter(f"{folder.name}/candidates.root") as writer:
        ...     writer.write({"mass": np.array([1.97, 1.95])})
        ...     writer.write({"mass": np.array([1.96])})
        >>> writer.rows
        3
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,
        tree: str = "candidates",
        overwrite: bool = True,
        files: FileSet | None = None,
    ) -> None:
        self.path = Path(path).expanduser()
        self._files = FileSet() if files is None else files
        self._commits = files is None
        self.rows = 0
        self._format = format_of(self.path, format)
        self._tree = tree
        self._overwrite = overwrite
        self._entered = False
        self._writer: FormatWriter | None = None
        self._types: dict[str, Type] = {}
        self._buffer: list[Columns] = []
        self._buffered_rows = self._buffered_bytes = 0
        self.other_trees: Mapping[str, Columns] = {}

    def __enter__(self) -> SnapshotWriter:
        if self._format == "parquet":
            require_pyarrow()
        _require_free(self.path, self._overwrite)
        self._open()
        self._entered = True
        return self

    def _open(self) -> None:
        self.hidden = self._files.new(self.path)
        with writing(self.path):
            self._file: BinaryIO = open(self.hidden, "w+b")  # noqa: SIM115 - closed by finish

    def write(self, columns: Columns) -> None:
        """Add the rows of a chunk, a dictionary of arrays of shape (rows,)."""
        if not self._entered:
            raise RunError(f"cannot write {self.path}: use its writer in a with block.")
        require_equal_lengths(columns)
        columns = storable(columns, self._format)
        types = self._promoted({name: type_of(column) for name, column in columns.items()})
        if types != self._types:
            self._change(types)
        self._buffer.append(_as_types(columns, self._types))
        self._buffered_rows += row_count(columns)
        self._buffered_bytes += sum(column.nbytes for column in columns.values())
        if self._buffered_bytes >= MOST_BYTES:
            self._write_buffered(self._buffered_rows)
        elif self._buffered_rows >= BLOCK:
            self._write_buffered(self._buffered_rows // BLOCK * BLOCK)

    def _promoted(self, types: dict[str, Type]) -> dict[str, Type]:
        """Return the types that hold both what was written and what comes."""
        if self._writer is None:
            return types
        if types.keys() != self._types.keys():
            raise RunError(f"a chunk has {listed(types)}, but the first had {listed(self._types)}.")
        return {name: joint_type(name, kind, types[name]) for name, kind in self._types.items()}

    def _change(self, types: dict[str, Type]) -> None:
        """Start a new file with wider types, and copy the rows of the old one into it."""
        self._buffer = [_as_types(chunk, types) for chunk in self._buffer]
        self._types = types
        if self._writer is None:
            self._start()
            return
        earlier = self.hidden
        try:
            with writing(self.path):
                self._writer.close()
                self._file.close()
            self._open()
            self._start()
            self._copy_rows(earlier)
        finally:
            self._files.drop(earlier)

    def _start(self) -> None:
        with writing(self.path):
            self._writer = WRITERS[self._format](self._file, self._tree, self._types)

    def _copy_rows(self, hidden: Path) -> None:
        read = reader_of(self._format)
        for start, stop in blocks(0, self.rows):
            with writing(self.path):
                chunk = read(hidden, self._tree, start, stop)
                self._open_writer.write(_as_types(chunk, self._types))

    def _write_buffered(self, count: int) -> None:
        """Write the first ``count`` of the buffered rows in blocks, and keep the others."""
        columns = joined(self._buffer) if self._buffer else {}
        with writing(self.path):
            for start in range(0, count, BLOCK):
                stop = min(start + BLOCK, count)
                self._open_writer.write({name: x[start:stop] for name, x in columns.items()})
        self._buffer = [{name: x[count:].copy() for name, x in columns.items()}]
        self._buffered_rows -= count
        self._buffered_bytes = sum(x.nbytes for x in self._buffer[0].values())
        self.rows += count

    @property
    def has_columns(self) -> bool:
        """Whether a chunk has come, and with it names and types of the columns."""
        return self._writer is not None

    @property
    def _open_writer(self) -> FormatWriter:
        if self._writer is None:
            raise RunError(f"cannot write {self.path}: no chunk came, so its columns are unknown.")
        return self._writer

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.finish()
                if self._commits:
                    self._files.commit()
        except BaseException:
            self._discard()
            raise
        if kind is not None:
            self._discard()

    def finish(self) -> None:
        """Write what is left, and `other_trees`, so that the hidden file is whole."""
        writer = self._open_writer
        self._write_buffered(self._buffered_rows)
        with writing(self.path):
            for tree, columns in self.other_trees.items():
                writer.add_tree(tree, storable(columns, self._format))
            writer.close()
            self._file.close()
        self._entered = False

    def _discard(self) -> None:
        """Remove the hidden file."""
        self._entered = False
        # What is thrown away may be broken already, and the first error is the one to tell.
        with contextlib.suppress(Exception):
            self._open_writer.close()
        with contextlib.suppress(OSError):
            self._file.close()
        self._files.drop(self.hidden)


def _require_free(path: Path, overwrite: bool) -> None:
    other = what_else(path)
    if other is not None:
        raise RunError(f"cannot write {path}: it is {other}.")
    if not path.parent.is_dir():
        raise RunError(f"cannot write {path}: {path.parent} is not a folder.")
    if path.exists() and not overwrite:
        raise RunError(f"cannot write {path}: it exists, and overwrite is False.")


def _as_types(columns: Columns, types: Types) -> Columns:
    # A copy, because the rows stay in the buffer while the caller may reuse its arrays.
    return {name: in_type(name, column, types[name]) for name, column in columns.items()}
