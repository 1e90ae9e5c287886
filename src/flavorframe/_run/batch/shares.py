"""How the work of a run is split into jobs: by files, without opening any."""

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
    """A file range of a run, by its place among all, or one of its ``of`` shares.

    Shares are of the partitions of the range, which are known when its file is opened.
    """

    index: int
    file_range: FileRange
    number: int = 0
    of: int = 1

    def of_list(self, items: Sequence[T]) -> Sequence[T]:
        """Return the part of the list that is this share.

        >>> whole = FileRange("a.root")
        >>> [Share(0, whole, number, of=3).of_list("abcdefg") for number in range(3)]
        ['ab', 'cd', 'efg']
        """
        return _piece(items, self.number, self.of)


def divide(file_ranges: Sequence[FileRange], jobs: int | None = None) -> list[tuple[Share, ...]]:
    """Return what each job takes: neighbouring files, or a share of one where jobs outnumber files.

    By default each file is a job, up to `MOST_JOBS`. The order of the files is kept.

    >>> files = [FileRange(name) for name in "abcde"]
    >>> [[share.file_range.file for share in job] for job in divide(files, jobs=2)]
    [['a', 'b'], ['c', 'd', 'e']]
    >>> [(share.file_range.file, share.number, share.of) for share, in divide(files[:2], jobs=3)]
    [('a', 0, 1), ('b', 0, 2), ('b', 1, 2)]
    """
    whole = [Share(index, file_range) for index, file_range in enumerate(file_ranges)]
    count = min(len(whole), MOST_JOBS) if jobs is None else jobs
    if count <= len(whole):
        return [tuple(_piece(whole, number, count)) for number in range(count)]
    shares = [len(_piece(range(count), index, len(whole))) for index in range(len(whole))]
    return [
        (Share(share.index, share.file_range, number, of),)
        for share, of in zip(whole, shares, strict=True)
        for number in range(of)
    ]


def _piece(items: Sequence[T], number: int, of: int) -> Sequence[T]:
    """Return one of ``of`` near-equal pieces of a list."""
    return items[len(items) * number // of : len(items) * (number + 1) // of]
