"""The rows of one file divided evenly, in order, among several files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from flavorframe._files.file_sets import FileSet
from flavorframe._snapshots.columns import Columns
from flavorframe._snapshots.reading import blocks, reader_of
from flavorframe._snapshots.writing import SnapshotWriter


def shares(rows: int, files: int) -> list[tuple[int, int]]:
    """Return the first row of each file, and the one after its last.

    >>> shares(10, 3)
    [(0, 3), (3, 6), (6, 10)]
    """
    return list(pairwise(number * rows // files for number in range(files + 1)))


def divide(
    source: SnapshotWriter,
    paths: Sequence[str],
    format: str,
    tree: str,
    files: FileSet,
    other_trees: Mapping[str, Columns],
) -> Iterator[Path]:
    """Copy what was written to files at the paths; yield the hidden file of each of them.

    The first file gets the rows of ``other_trees``; in the others these have none, so that what
    adds them up over all files counts them once.
    """
    read = reader_of(format)
    for path, (start, stop) in zip(paths, shares(source.rows, len(paths)), strict=True):
        with SnapshotWriter(path, format=format, tree=tree, files=files) as writer:
            # A file without rows gets one empty block, which has its columns.
            writer.other_trees = other_trees
            other_trees = {name: _no_rows(columns) for name, columns in other_trees.items()}
            for first, last in list(blocks(start, stop)) or [(start, stop)]:
                writer.write(read(source.hidden, tree, first, last))
        yield writer.hidden


def _no_rows(columns: Columns) -> Columns:
    return {name: column[:0] for name, column in columns.items()}
