"""How the files of a run are divided among jobs, without opening any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from flavorframe._run.core.partitions import FileRange

MOST_JOBS = 100
"""Most jobs by default: many enough to be fast, few enough to be started soon."""

T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """What a job reads of one file range: the ``piece``-th of ``pieces`` equal pieces.

    ``index`` is the number of the range in the run. The pieces are of its partitions, which are
    known once its file is opened.
    """

    index: int
    file_range: FileRange
    piece: int = 0
    pieces: int = 1

    def slice_of(self, items: Sequence[T]) -> Sequence[T]:
        """Return the items of a list that belong to this share.

        >>> whole = FileRange("a.root")
        >>> [Share(0, whole, piece, pieces=3).slice_of("abcdefg") for piece in range(3)]
        ['ab', 'cd', 'efg']
        """
        return _piece(items, self.piece, self.pieces)


def divide(file_ranges: Sequence[FileRange], jobs: int | None = None) -> list[tuple[Share, ...]]:
    """Return the shares of each job: of neighbouring files, or of one file if jobs outnumber files.

    By default each file is a job, up to `MOST_JOBS`. The order of the files is kept.

    >>> files = [FileRange(name) for name in "abcde"]
    >>> [[share.file_range.file for share in job] for job in divide(files, jobs=2)]
    [['a', 'b'], ['c', 'd', 'e']]
    >>> [(share.file_range.file, share.piece, share.pieces) for share, in divide(files[:2], jobs=3)]
    [('a', 0, 1), ('b', 0, 2), ('b', 1, 2)]
    """
    whole = [Share(index, file_range) for index, file_range in enumerate(file_ranges)]
    count = min(len(whole), MOST_JOBS) if jobs is None else jobs
    if count <= len(whole):
        return [tuple(_piece(whole, number, count)) for number in range(count)]
    counts = [len(_piece(range(count), index, len(whole))) for index in range(len(whole))]
    return [
        (Share(share.index, share.file_range, piece, pieces),)
        for share, pieces in zip(whole, counts, strict=True)
        for piece in range(pieces)
    ]


def _piece(items: Sequence[T], piece: int, pieces: int) -> Sequence[T]:
    """Return one of several near-equal pieces of a list."""
    return items[len(items) * piece // pieces : len(items) * (piece + 1) // pieces]
