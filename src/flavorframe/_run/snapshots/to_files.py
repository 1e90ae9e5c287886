"""Rows of a snapshot that goes to a file, or to several."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flavorframe._files.file_sets import FileSet, sha256_of
from flavorframe._files.writing import writing
from flavorframe._snapshots.columns import Columns
from flavorframe._snapshots.dividing import divide
from flavorframe._snapshots.writing import SnapshotWriter
from flavorframe.engines.partial import Chunk
from flavorframe.errors import OutputError
from flavorframe.outputs import Snapshot


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

    def finish(self, trees: Mapping[str, Columns]) -> tuple[str, ...]:
        """Write the rest to hidden files that are to take their places; return their SHA-256.

        The first file gets the other ``trees``, and further ones get these without rows.
        """
        if self._spec.files == 1:
            self._writer.other_trees = trees
        self._writer.finish()
        with writing(self._writer.path):
            hidden = [self._writer.hidden] if self._spec.files == 1 else self._divided(trees)
            return tuple(map(sha256_of, hidden))

    def _divided(self, trees: Mapping[str, Columns]) -> list[Path]:
        spec = self._spec
        hidden = list(divide(self._writer, spec.paths, spec.format, spec.tree, self._files, trees))
        self._files.drop(self._writer.hidden)
        return hidden

    def discard(self) -> None:
        """Remove what was written."""
        error = OutputError()
        self._writer.__exit__(type(error), error, None)
        for path in self._spec.paths:
            self._files.drop_for(Path(path).expanduser())
