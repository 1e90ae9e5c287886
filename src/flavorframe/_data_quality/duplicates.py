"""Events that were read more than once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from flavorframe._files.versions import Version

Array = np.ndarray[Any, Any]
Key = tuple[int, ...]
Place = tuple[str, int]
"""The file of an event, and its number in it."""
SHOWN = 3


@dataclass(frozen=True, eq=False)
class Keys:
    """The keys of events that follow each other in a file, from the event ``start`` on.

    ``columns`` has an array for each value that keys are made of.
    """

    columns: tuple[Array, ...]
    file: str = ""
    start: int = 0
    version: Version | None = None

    def __len__(self) -> int:
        return len(self.columns[0])


@dataclass(frozen=True, repr=False, eq=False)
class Duplicates:
    """Which events were read more than once; the length is how many events these are.

    Two of them add up: what is in both is a duplicate as well. Saved results keep what was found
    and not the keys of all events, so among loaded ones such events are not found.
    `flavorframe.Dataset.without` leaves out all copies but the first.

    Attributes:
        names: The values that events differ in.
        chunks: The keys of the events.
        found: Where events are that were known to be duplicates, by key, from saved results.
        read: How many events are known by no key any more, having been saved.
        compared: Whether all events were compared with each other.
        versions: The versions of files in which duplicates were found, as they were then.
    """

    names: tuple[str, ...]
    chunks: tuple[Keys, ...] = ()
    found: tuple[tuple[Key, tuple[Place, ...]], ...] = ()
    read: int = 0
    compared: bool = True
    versions: tuple[tuple[str, Version], ...] = ()

    @cached_property
    def places(self) -> dict[Key, tuple[Place, ...]]:
        """The file of each copy of a duplicate and its number there, by the duplicate's key."""
        places: dict[Key, tuple[Place, ...]] = {}
        for key, known in (*self.found, *_repeated(self.chunks)):
            places[key] = (*places.get(key, ()), *known)
        return dict(sorted(places.items()))

    @property
    def copies(self) -> dict[Key, int]:
        """How often each duplicate was read, by its key."""
        return {key: len(places) for key, places in self.places.items()}

    @property
    def events(self) -> int:
        """How many events were read, duplicates included."""
        return self.read + sum(map(len, self.chunks))

    @property
    def surplus(self) -> int:
        """How many events too many were read: all copies but one."""
        return sum(self.copies.values()) - len(self)

    @cached_property
    def version_of(self) -> dict[str, Version]:
        """The version of each file with duplicates, where the system tells it."""
        files = {file for places in self.places.values() for file, _ in places}
        read = {chunk.file: chunk.version for chunk in self.chunks if chunk.version is not None}
        return {k: version for k, version in {**dict(self.versions), **read}.items() if k in files}

    def __len__(self) -> int:
        return len(self.places)

    def __add__(self, other: Duplicates) -> Duplicates:
        unknown = (self.read and other.events) or (other.read and self.events)
        return Duplicates(
            self.names, self.chunks + other.chunks, self.found + other.found,
            self.read + other.read, self.compared and other.compared and not unknown,
            self.versions + other.versions,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return what is known without the keys of all events."""
        versions = {file: [list(v.content), v.place, list(v.there)]
                    for file, v in self.version_of.items()}  # fmt: skip
        found = [[list(key), [list(place) for place in places]]
                 for key, places in self.places.items()]  # fmt: skip
        return {"names": list(self.names), "events": self.events, "found": found,
                "compared": self.compared, "versions": versions}  # fmt: skip

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Duplicates:
        """Return what `to_dict` made a dictionary of."""
        versions = tuple(
            (file, Version(tuple(known), place, tuple(there)))
            for file, (known, place, there) in content["versions"].items()
        )
        found = tuple((tuple(key), tuple((file, number) for file, number in places))
                      for key, places in content["found"])  # fmt: skip
        return cls(
            tuple(content["names"]), (), found, content["events"], content["compared"], versions
        )

    def __repr__(self) -> str:
        if not self.compared:
            return f"{self._found}; not all were compared, as results were saved between"
        return self._found

    @property
    def _found(self) -> str:
        if not self.places:
            return f"no event twice among {self.events:,}"
        shown = [_named(self.names, key) for key in list(self.places)[:SHOWN]]
        more = "; …" if len(self) > SHOWN else ""
        return (
            f"{len(self):,} of {self.events:,} events more than once, {self.surplus:,} too many: "
            f"{'; '.join(shown)}{more}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"


def _repeated(chunks: Sequence[Keys]) -> list[tuple[Key, tuple[Place, ...]]]:
    """Return the keys that come more than once, and where they do."""
    if not chunks:
        return []
    columns = [_joined(parts) for parts in zip(*(c.columns for c in chunks), strict=True)]
    order = np.lexsort(columns)
    rising = [column[order] for column in columns]
    begins = np.ones(len(order), bool)
    begins[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in rising])
    first = np.flatnonzero(begins)
    ends = np.append(first[1:], len(order))
    ahead = np.cumsum([0, *map(len, chunks)])  # how many events are in the chunks before each
    found = []
    for low, high in zip(first.tolist(), ends.tolist(), strict=True):
        if high - low > 1:
            key = tuple(column[low].item() for column in rising)
            found.append((key, tuple(_place(n, chunks, ahead) for n in sorted(order[low:high]))))
    return found


def _place(number: int, chunks: Sequence[Keys], ahead: Array) -> Place:
    which = int(np.searchsorted(ahead, number, side="right")) - 1
    chunk = chunks[which]
    return chunk.file, chunk.start + int(number - ahead[which])


def _joined(parts: Sequence[Array]) -> Array:
    """Return one array; whole numbers with a sign and of 64 bits without have no common type."""
    kinds = {part.dtype.kind for part in parts}
    return np.concatenate([part.astype(np.uint64) if kinds == {"i", "u"} else part
                           for part in parts])  # fmt: skip


def _named(names: Sequence[str], key: Sequence[int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(names, key, strict=True))
