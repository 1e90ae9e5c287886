"""Events of a dataset that are left out: copies of others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flavorframe._files.versions import Version

if TYPE_CHECKING:
    from flavorframe._data_quality.duplicates import Duplicates
    from flavorframe.datasets._replicas import Places


@dataclass(frozen=True)
class LeftOut:
    """Events of a file that are not read.

    Attributes:
        file: The file, by its first place.
        ranges: From which up to, but without, which event; they rise.
        place: Where the file was opened when they were found.
        version: Its version then.
    """

    file: str
    ranges: tuple[tuple[int, int], ...]
    place: str = ""
    version: Version | None = None

    def __len__(self) -> int:
        return sum(stop - start for start, stop in self.ranges)

    def kept(self) -> list[tuple[int, int | None]]:
        """Return the ranges that are read; the last one goes to the end of the file."""
        edges = [0, *(edge for each in self.ranges for edge in each)]
        starts, stops = edges[::2], [*edges[1::2], None]
        return [pair for pair in zip(starts, stops, strict=True) if pair[0] != pair[1]]


def copies_in(
    files: Sequence[str], replicas: Iterable[Places], duplicates: Duplicates
) -> tuple[LeftOut, ...]:
    """Return all copies of events in some files but the first, in the order of the files."""
    first_place = {place: places[0] for places in replicas for place in places}
    order = {file: number for number, file in enumerate(files)}
    surplus: dict[str, list[int]] = defaultdict(list)
    opened: dict[str, str] = {}
    for places in duplicates.places.values():
        own = {(first_place.get(file, file), number): file for file, number in places}
        here = sorted((each for each in own if each[0] in order),
                      key=lambda each: (order[each[0]], each[1]))  # fmt: skip
        for file, number in here[1:]:
            surplus[file].append(number)
            opened[file] = own[file, number]
    versions = duplicates.version_of
    return tuple(
        LeftOut(file, _ranges(surplus[file]), opened[file], versions.get(opened[file]))
        for file in files
        if file in surplus
    )


def from_dict(content: Mapping[str, object]) -> LeftOut:
    """Return what ``dataclasses.asdict`` and JSON have made of it."""
    told = dict(content)
    version = told.pop("version")
    known = None
    if isinstance(version, Mapping):
        known = Version(tuple(version["content"]), version["place"], tuple(version["there"]))
    ranges = tuple((start, stop) for start, stop in told.pop("ranges"))  # type: ignore[attr-defined]
    return LeftOut(ranges=ranges, version=known, **told)  # type: ignore[arg-type]


def _ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return numbers as ranges of those that follow each other."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number:
            ranges[-1][1] += 1
        else:
            ranges.append([number, number + 1])
    return tuple((start, stop) for start, stop in ranges)
