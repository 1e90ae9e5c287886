"""Events that were read more than once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Chunk = tuple[Array, ...]
"""The keys of some events: an array for each value that they are made of."""
SHOWN = 3


@dataclass(frozen=True, repr=False, eq=False)
class Duplicates:
    """Which events were read more than once; the length is how many events these are.

    Two of them add up: what is in both is a duplicate as well. Saved results keep what was found
    and not the keys of all events, so among loaded ones such events are not found.

    Attributes:
        names: The values that events differ in.
        chunks: The keys of the events.
        found: The keys and copies of events that were known to be duplicates, from saved results.
        read: How many events are known by no key any more, having been saved.
        compared: Whether all events were compared with each other.
    """

    names: tuple[str, ...]
    chunks: tuple[Chunk, ...] = ()
    found: tuple[tuple[tuple[int, ...], int], ...] = ()
    read: int = 0
    compared: bool = True

    @classmethod
    def among(cls, names: Sequence[str], columns: Sequence[Array]) -> Duplicates:
        """Return the duplicates among events, given an array of each value of their keys."""
        return cls(tuple(names), (tuple(columns),) if len(columns[0]) else ())

    @cached_property
    def copies(self) -> dict[tuple[int, ...], int]:
        """How often each duplicate was read, by its key."""
        found = dict(self.found)
        if self.chunks:
            columns = [_joined(parts) for parts in zip(*self.chunks, strict=True)]
            for key, times in _repeated(columns):
                found[key] = found.get(key, 0) + times
        return dict(sorted(found.items()))

    @property
    def events(self) -> int:
        """How many events were read, duplicates included."""
        return self.read + sum(len(chunk[0]) for chunk in self.chunks)

    @property
    def surplus(self) -> int:
        """How many events too many were read: all copies but the first."""
        return sum(self.copies.values()) - len(self.copies)

    def __len__(self) -> int:
        return len(self.copies)

    def __add__(self, other: Duplicates) -> Duplicates:
        found = dict(self.found)
        for key, times in other.found:
            found[key] = found.get(key, 0) + times
        unknown = (self.read and other.events) or (other.read and self.events)
        return Duplicates(
            self.names, self.chunks + other.chunks, tuple(found.items()), self.read + other.read,
            self.compared and other.compared and not unknown,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return what is known without the keys of all events."""
        found = [[list(key), times] for key, times in self.copies.items()]
        return {"names": list(self.names), "events": self.events, "found": found,
                "compared": self.compared}  # fmt: skip

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Duplicates:
        """Return what `to_dict` made a dictionary of."""
        found = tuple((tuple(key), times) for key, times in content["found"])
        return cls(tuple(content["names"]), (), found, content["events"], content["compared"])

    def __repr__(self) -> str:
        if not self.compared:
            return f"{self._found}; not all were compared, as results were saved between"
        return self._found

    @property
    def _found(self) -> str:
        if not self.copies:
            return f"no event twice among {self.events:,}"
        shown = [_named(self.names, key) for key in list(self.copies)[:SHOWN]]
        more = "; …" if len(self) > SHOWN else ""
        return (
            f"{len(self):,} of {self.events:,} events more than once, {self.surplus:,} too many: "
            f"{'; '.join(shown)}{more}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"


def _joined(parts: Sequence[Array]) -> Array:
    """Return one array; whole numbers with a sign and of 64 bits without have no common type."""
    kinds = {part.dtype.kind for part in parts}
    return np.concatenate([part.astype(np.uint64) if kinds == {"i", "u"} else part
                           for part in parts])  # fmt: skip


def _repeated(columns: Sequence[Array]) -> list[tuple[tuple[int, ...], int]]:
    """Return the keys that come more than once, and how often they do."""
    order = np.lexsort(columns)
    rising = [column[order] for column in columns]
    begins = np.ones(len(order), bool)
    begins[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in rising])
    first = np.flatnonzero(begins)
    times = np.diff(first, append=len(order))
    keys = zip(*(column[first[times > 1]].tolist() for column in rising), strict=True)
    return list(zip(keys, times[times > 1].tolist(), strict=True))


def _named(names: Sequence[str], key: Sequence[int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(names, key, strict=True))
