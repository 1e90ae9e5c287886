"""Partitions: ranges of events of one file, the unit of work."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flavorframe.errors import DatasetError

if TYPE_CHECKING:
    from flavorframe._files.versions import Version
    from flavorframe.datasets._replicas import Copies


@dataclass(frozen=True)
class Partition:
    """A range of events of one file, the unit of work: events ``start`` up to but without ``stop``.

    ``index`` orders the partitions of a dataset, and ``version`` is that of the file that is meant,
    where that was opened: ``copies`` tells it of a file that is in several places. The length is
    the number of events.

    >>> len(Partition("Tree_1.root", "Tree3Mu/ntuple", start=1000, stop=1500, index=2))
    500
    """

    file: str
    tree: str
    start: int
    stop: int
    index: int
    version: Version | None = None
    copies: Copies | None = None

    def __len__(self) -> int:
        return self.stop - self.start


def fraction_read(read: int, known: int, opened: int, files: int) -> float:
    """Estimate the fraction of events that was read.

    ``known`` is the number of events in the files that were ``opened``; each of the others is taken
    to have their mean.

    >>> fraction_read(50, known=100, opened=1, files=2)
    0.25
    """
    if not opened:
        return 0.0
    if opened == files:
        return read / known if known else 1.0
    total = known * files / opened
    return read / total if total else opened / files


def split(entries: int, size: int, edges: Sequence[int] = ()) -> list[tuple[int, int]]:
    """Return ranges (start, stop) that cover ``entries``, none longer than ``size``.

    They are near-equal, or end at some of the ``edges``, rising numbers of events at which a file
    is cut well, where there are such within the size. Raises ``DatasetError`` unless ``size`` is
    at least one event.

    >>> split(10, 4)
    [(0, 3), (3, 6), (6, 10)]
    >>> split(10, 4, edges=[3, 9])
    [(0, 3), (3, 7), (7, 9), (9, 10)]
    """
    if size < 1:
        raise DatasetError(f"a partition of {size} events: ask for at least one.")
    if not edges:
        count = -(-entries // size)
        return list(
            itertools.pairwise(entries * i // count for i in range(count + 1 if count else 0))
        )
    stops = [0]
    while stops[-1] < entries:
        furthest = stops[-1] + size
        edge = edges[max(bisect.bisect_right(edges, furthest) - 1, 0)]
        stops.append(min(edge if stops[-1] < edge <= furthest else furthest, entries))
    return list(itertools.pairwise(stops))
