"""The rows of one file divided evenly, in order, among several files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from flavorframe._files.file_sets import FileSet
from flavorframe._snapshots.reading import reader_of
from flavorframe._snapshots.writing import SnapshotWriter

BLOCK = 100_000
"""Rows that are copied at once."""


def shares(rows: int, files: int) -> list[tuple[int, int]]:
    """Return the first row of each file, and the one after its last.

    >>> shares(10, 3)
    [(0, 3), (3, 6), (6, 10)]
    """
    return list(pairwise(number * rows // files for number in range(files + 1)))


def blocks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield the rows from ``start`` up to ``stop`` in ranges that are copied at once."""
    for first in range(start, stop, BLOCK):
        yield first, min(first + BLOCK, stop)


def divide(
    source: SnapshotWriter, paths: Sequence[str], format: str, tree: str, files: FileSet
) -> Iterator[Path]:
    """Copy what was written to files at the paths; yield the hidden file of each of them."""
    read = reader_of(format)
    for path, (start, stop) in zip(paths, shares(source.rows, len(paths)), strict=True):
        with SnapshotWriter(path, format=format, tree=tree, files=files) as writer:
            # A file without rows gets one empty block, which has its columns.
            for first, last in list(blocks(start, stop)) or [(start, stop)]:
                writer.write(read(source.hidden, tree, first, last))
        yield writer.hidden
