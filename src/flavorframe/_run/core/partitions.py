"""Which events are to be read: ranges of files, cut into partitions."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flavorframe._run.outcome import Outcome
from flavorframe.datasets import Dataset, Partition, Places, split
from flavorframe.engines import FileInfo


@dataclass(frozen=True)
class FileRange:
    """Events of a file that are to be read, from ``start`` up to ``stop`` (``None``: its end).

    Of a file that is in several places, ``places`` has all of them.
    """

    file: str
    start: int = 0
    stop: int | None = None
    places: Places = ()


def file_ranges(dataset: Dataset, earlier: Outcome | None) -> tuple[FileRange, ...]:
    """Return the ranges to be read, in the order of the data: what is not left out, or the gaps."""
    places = {several[0]: several for several in dataset.replicas}
    if earlier is None:
        kept = {each.file: each.kept() for each in dataset.left_out}
        return tuple(
            FileRange(file, start, stop, places.get(file, ()))
            for file in dataset.files
            for start, stop in kept.get(file, [(0, None)])
        )
    unread = _unread_files(earlier)
    return tuple(
        FileRange(
            gap.file, gap.start, None if gap.file in unread else gap.stop, places.get(gap.file, ())
        )
        for gap in earlier.gaps
    )


def known_files(earlier: Outcome | None) -> dict[str, FileInfo]:
    """Return the files that an earlier run has read events of: they must not have changed."""
    if earlier is None:
        return {}
    unread = _unread_files(earlier)
    return {info.file: info for info in earlier.files if info.file not in unread}


def _unread_files(earlier: Outcome) -> set[str]:
    """Return the files of which nothing was read: they may have changed, and are read whole."""
    events = {info.file: info.events for info in earlier.files}
    return {
        gap.file
        for gap in earlier.gaps
        if gap.start == 0 and gap.stop in (None, events.get(gap.file))
    }


def partitions(file_range: FileRange, index: int, info: FileInfo, size: int) -> Iterator[Partition]:
    """Yield the partitions of a range, none longer than ``size`` events.

    ``index`` is the number of the range among all: with its start it orders the partitions.
    """
    first, last = file_range.start, file_range.stop or info.events
    edges = [edge - first for edge in info.edges if first < edge <= last]
    for start, stop in split(last - first, size, edges):
        yield info.partition(first + start, first + stop, index)


def first_stop(start: int, stop: int, size: int, edges: Sequence[int]) -> int:
    """Return where the first partition of the events from ``start`` up to ``stop`` ends.

    `split` with that size would cut there.

    >>> first_stop(0, 10, 4, ())
    3
    >>> first_stop(3, 10, 4, [3, 6, 12])
    6
    """
    position = bisect.bisect_right(edges, start + size)
    if position and edges[position - 1] > start:
        return min(edges[position - 1], stop)
    if edges:
        return min(start + size, stop)
    count = -(-(stop - start) // size)
    return start + (stop - start) // count
