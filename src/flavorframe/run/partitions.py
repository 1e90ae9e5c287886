"""What there is to do: segments of files, cut into partitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flavorframe.datasets import Dataset, Partition, split
from flavorframe.engine import FileInfo
from flavorframe.run.executor import Outcome


@dataclass(frozen=True)
class Segment:
    """Events of a file that are to be read, from ``start`` up to ``stop`` (``None``: its end)."""

    file: str
    start: int = 0
    stop: int | None = None


def segments(dataset: Dataset, earlier: Outcome | None) -> tuple[Segment, ...]:
    """Return what is to be read, in the order of the data: every file, or the gaps."""
    if earlier is None:
        return tuple(Segment(file) for file in dataset.files)
    return tuple(Segment(gap.file, gap.start, gap.stop) for gap in earlier.gaps)


def partitions(segment: Segment, index: int, info: FileInfo, size: int) -> Iterator[Partition]:
    """Yield the partitions of a segment, none longer than ``size`` events.

    ``index`` is the place of the segment among all: with its start it orders the partitions.
    """
    first, last = segment.start, segment.stop or info.events
    edges = [edge - first for edge in info.edges if first < edge <= last]
    for start, stop in split(last - first, size, edges):
        yield Partition(info.file, info.tree, first + start, first + stop, index)
