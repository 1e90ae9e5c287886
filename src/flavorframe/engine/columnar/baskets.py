"""Find the baskets of a TTree's branch, and read them: from bytes to flat arrays in one call.

A basket is a key (header), then its compressed payload: the entries' bytes and, where entries vary
in length, a table of where each begins. The compiled part reads, decompresses and decodes them
without Python's lock, and of each only the events that are asked for; ``native/`` says how.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import numpy as np

from flavorframe.engine.columnar.arrays import Array, Names, Packed
from flavorframe.engine.columnar.boundary import DamageError
from flavorframe.engine.columnar.codecs import decompress_block

VECTOR_HEADER = 10
"""Bytes before the elements of a ``std::vector``: byte count, version, number of elements."""


class UnusualError(Exception):
    """A shape of basket that is left to uproot."""


@dataclass
class Spent:
    """What reading took: seconds by stage, and compressed bytes."""

    reading: float = 0.0
    decompressing: float = 0.0
    decoding: float = 0.0
    bytes: int = 0

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Add the seconds that the block takes to a stage."""
        began = time.perf_counter()
        yield
        setattr(self, stage, getattr(self, stage) + time.perf_counter() - began)


class Source(Protocol):
    """Where the bytes of a file come from."""

    descriptor: int | None
    """The number of an open file of this system, from which the compiled part reads by itself."""

    def ranges(self, wanted: Sequence[tuple[int, int]]) -> list[Any]:
        """Return the bytes from start up to stop, for each range, where there is no descriptor."""


class Kind(IntEnum):
    """How entries are stored: a number each, a list of numbers, or a list of strings."""

    SCALARS = 0
    LISTS = 1
    NAMES = 2


@dataclass(frozen=True)
class Shape:
    """The kind of a branch, the type of its numbers in the file, and the bytes before a list."""

    kind: Kind
    dtype: np.dtype[Any]
    header: int = 0


@dataclass(frozen=True)
class BasketIndex:
    """Where a branch's baskets lie: file positions, sizes, and first events (with the end).

    ``mean`` is the number of bytes that an event takes, decompressed, to set memory aside for it.
    """

    positions: Array
    sizes: Array
    entries: Array
    mean: float

    @classmethod
    def of(cls, branch: Any) -> BasketIndex:
        """Return the index of an uproot branch; raises UnusualError for baskets in the tree."""
        if not hasattr(branch, "embedded_baskets"):
            raise UnusualError("an RNTuple")
        if branch.embedded_baskets:
            raise UnusualError("baskets embedded in the tree")
        count = branch.num_baskets
        entries = np.zeros(1, np.int64)
        if count:
            entries = np.asarray(branch.member("fBasketEntry")[: count + 1], np.int64)
        positions = np.asarray(branch.member("fBasketSeek")[:count], np.int64)
        sizes = np.asarray(branch.member("fBasketBytes")[:count], np.int64)
        rising = entries[0] == 0 and (np.diff(entries) >= 0).all()
        if not rising or entries[-1] != branch.num_entries or (positions < 0).any():
            raise DamageError("the table of baskets does not cover the events from first to last")
        if (sizes < 0).any():
            raise DamageError("the table of baskets has a basket of negative size")
        mean = branch.member("fTotBytes") / max(int(entries[-1]), 1)
        return cls(positions, sizes, entries, min(max(mean, 0.0), 1000.0))

    def covering(self, start: int, stop: int) -> range:
        """Return the numbers of the baskets that hold the events start ≤ i < stop."""
        first = int(np.searchsorted(self.entries, start, "right")) - 1
        last = int(np.searchsorted(self.entries, stop, "left"))
        return range(max(first, 0), max(first, 0) if start >= stop else last)

    def table(self, numbers: range, start: int) -> Array:
        """Return a row for each basket: position, size, first event and end, from ``start`` on."""
        part = slice(numbers.start, numbers.stop)
        rows = np.empty((len(numbers), 4), np.int64)
        rows[:, 0], rows[:, 1] = self.positions[part], self.sizes[part]
        rows[:, 2] = self.entries[part] - start
        rows[:, 3] = self.entries[numbers.start + 1 : numbers.stop + 1] - start
        return rows


NOTHING = np.zeros(0, np.int64)


def read_events(
    source: Source, index: BasketIndex, shape: Shape, start: int, stop: int, rows: Array,
    spent: Spent,
) -> Array | Packed:  # fmt: skip
    """Return a branch's values at the events start + ``rows``, which rise and lie before ``stop``.

    Only the baskets that hold one of them are read. Raises DamageError, naming the basket, for
    bytes that contradict themselves.
    """
    from flavorframe.engine.columnar import _native

    numbers = index.covering(start, stop)
    table = index.table(numbers, start)
    sizes = NOTHING if shape.kind == Kind.SCALARS else np.empty(len(rows), np.int64)
    ends = np.empty(len(rows), np.int64) if shape.kind == Kind.NAMES else NOTHING
    itemsize = shape.dtype.itemsize
    room = int(index.mean * len(rows)) + 64 if shape.kind != Kind.NAMES else 1024
    try:
        given = _pieces(source, table, rows, spent)
        values, lists, reading, decompressing, decoding, fetched = _native.read(
            given, table, rows, shape.kind, itemsize, shape.header, room, decompress_block,
            sizes, ends,
        )  # fmt: skip
    except ValueError as error:
        number, reason = error.args
        raise DamageError(f"basket {numbers.start + number}: {reason}") from None
    except NotImplementedError as error:
        raise UnusualError(error.args[1]) from None
    spent.reading += reading
    spent.decompressing += decompressing
    spent.decoding += decoding
    spent.bytes += fetched
    if shape.kind == Kind.NAMES:
        with spent.on("decoding"):
            return _names(values, ends[:lists], sizes)
    found = np.frombuffer(values, shape.dtype.newbyteorder("="))
    return found if shape.kind == Kind.SCALARS else Packed(found, sizes)


def _pieces(source: Source, table: Array, rows: Array, spent: Spent) -> int | tuple[Any, ...]:
    """Return the open file, or the baskets that hold a wanted event, fetched at once."""
    if source.descriptor is not None:
        return source.descriptor
    first, last = np.searchsorted(rows, table[:, 2]), np.searchsorted(rows, table[:, 3])
    wanted = np.flatnonzero(last > first)
    pieces: list[Any] = [b""] * len(table)
    with spent.on("reading"):
        begins = table[wanted, 0]
        ranges = zip(begins.tolist(), (begins + table[wanted, 1]).tolist(), strict=True)
        for number, piece in zip(wanted.tolist(), source.ranges(list(ranges)), strict=True):
            pieces[number] = piece
    return tuple(pieces)


def _names(values: bytearray, ends: Array, which: Array) -> Packed:
    """Return lists of strings: event i has the list number which[i], of those that differ.

    Lists that are alike share their elements, so that a test of names runs once for each list.
    """
    known: dict[bytes, int] = {}
    distinct: list[list[str]] = []
    kinds, begin = [], 0
    for end in ends.tolist():
        raw = bytes(values[begin:end])
        if raw not in known:
            known[raw] = len(distinct)
            distinct.append(_strings(raw))
        kinds.append(known[raw])
        begin = end
    return _numbered(distinct, np.array(kinds, np.int64)[which])


def _numbered(distinct: list[list[str]], which: Array) -> Packed:
    """Return the lists ``distinct[which[0]]``, ``distinct[which[1]]``, …"""
    words = {word: i for i, word in enumerate(dict.fromkeys(w for item in distinct for w in item))}
    codes = np.array([words[word] for item in distinct for word in item], np.int32)
    sizes = np.array([len(item) for item in distinct], np.int64)
    starts = np.cumsum(sizes) - sizes
    return Packed(Names(codes, tuple(words)), sizes[which], starts[which])


def _strings(raw: bytes) -> list[str]:
    """Return the strings of one ``std::vector<std::string>``."""
    count = int.from_bytes(raw[6:10], "big")
    found, place = [], VECTOR_HEADER
    for _ in range(count):
        if place >= len(raw):
            raise DamageError("a list of strings is shorter than its count says")
        length, place = raw[place], place + 1
        if length == 255:
            length, place = int.from_bytes(raw[place : place + 4], "big"), place + 4
        found.append(raw[place : place + length].decode("utf-8", "replace"))
        place += length
    if place != len(raw):
        raise DamageError("a list of strings does not end where its entry does")
    return found
