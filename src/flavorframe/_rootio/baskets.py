"""Find the baskets of a TTree's branch, and read them: from bytes to flat arrays in one call.

A basket is a key (header), then its compressed payload: the entries' bytes and, where entries vary
in length, a table of where each begins. The compiled part reads, decompresses and decodes them
without Python's lock, and of each only the events that are asked for; ``native/`` says how.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

import numpy as np

from flavorframe._rootio.arrays import Array, Names, Packed
from flavorframe._rootio.blocks import LARGE, Fetch, OddBlocksError
from flavorframe._rootio.boundary import DamageError
from flavorframe._rootio.codecs import decompress_block
from flavorframe._rootio.large import LargeBasket, lists, scalars

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

    @contextmanager
    def on_blocks(self, source: Source) -> Iterator[Fetch]:
        """Add the seconds that the block takes to decompressing, but for those of its reading."""
        began, reading = time.perf_counter(), self.reading

        def fetch(begin: int, end: int) -> memoryview:
            with self.on("reading"):
                (found,) = source.ranges([(begin, end)])
            self.bytes += len(found)
            return memoryview(found)

        yield fetch
        self.decompressing += time.perf_counter() - began - (self.reading - reading)


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
    ``large`` has what is known of baskets that several partitions share.
    """

    positions: Array
    sizes: Array
    entries: Array
    mean: float
    large: dict[int, LargeBasket] = field(default_factory=dict)

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

    def shared(self, numbers: range, start: int, stop: int) -> list[int]:
        """Return those of the baskets that are large and hold other events too."""
        ends = [number for number in {numbers.start, numbers.stop - 1} if number in numbers]
        return [number for number in ends if self._is_shared(number, start, stop)]

    def _is_shared(self, number: int, start: int, stop: int) -> bool:
        first, end = self.entries[number], self.entries[number + 1]
        return bool((first < start or end > stop) and self.mean * (end - first) >= LARGE)

    def table(self, numbers: range, start: int) -> Array:
        """Return a row for each basket: position, size, first event and end, from ``start`` on."""
        part = slice(numbers.start, numbers.stop)
        rows = np.empty((len(numbers), 4), np.int64)
        rows[:, 0], rows[:, 1] = self.positions[part], self.sizes[part]
        rows[:, 2] = self.entries[part] - start
        rows[:, 3] = self.entries[numbers.start + 1 : numbers.stop + 1] - start
        return rows


def divided(edges: Array, start: int, stop: int) -> list[tuple[int, int, int | None]]:
    """Return the parts of a range: what is whole between edges, and what is not.

    Each part is where it begins and ends, and of the latter the number of what it belongs to.

    >>> divided(np.array([0, 10, 20, 30]), 5, 25)
    [(5, 10, 0), (10, 20, None), (20, 25, 2)]
    >>> divided(np.array([0, 10, 20, 30]), 12, 15)
    [(12, 15, 1)]
    """
    if start == stop or not len(edges):
        return [(start, stop, None)]
    first = int(np.searchsorted(edges, start, "right")) - 1
    last = int(np.searchsorted(edges, stop, "left")) - 1
    a = int(edges[first] if edges[first] == start else edges[first + 1])
    b = int(edges[last + 1] if edges[last + 1] == stop else edges[last])
    if a > b:
        return [(start, stop, first)]
    parts = [(start, a, first), (a, b, None), (b, stop, last)]
    return [part for part in parts if part[0] < part[1]]


POSITION, BYTES, FIRST, END = range(4)
"""The columns of a table of baskets."""
NOTHING = np.zeros(0, np.int64)


def read_events(
    source: Source, index: BasketIndex, shape: Shape, start: int, stop: int, rows: Array,
    spent: Spent,
) -> Array | Packed:  # fmt: skip
    """Return a branch's values at the events start + ``rows``, which rise and lie before ``stop``.

    Only the baskets that hold one of them are read, and of large ones that other partitions share
    only what holds them. Raises DamageError, naming the basket, for bytes that contradict
    themselves.
    """
    numbers = index.covering(start, stop)
    wanted = _Wanted(source, shape, rows, int(index.mean * len(rows)) + 64, spent)
    shared = index.shared(numbers, start, stop)
    if shared:
        with suppress(OddBlocksError, DamageError, UnusualError):  # read whole, it tells why
            table = index.table(numbers, start)
            parts = wanted.parts(index, shared, numbers.start, table)
            return wanted.read(numbers.start, table, parts)
    return wanted.read(numbers.start, index.table(numbers, start), {})


@dataclass(frozen=True)
class _Wanted:
    """What is to be read of a branch; ``room`` is about how many bytes that will be."""

    source: Source
    shape: Shape
    rows: Array
    room: int
    spent: Spent

    def read(self, first: int, table: Array, parts: Mapping[int, bytes]) -> Array | Packed:
        """Return the values of the rows in a table of baskets, which begins with number ``first``.

        ``parts`` are baskets of the table that have been read.
        """
        from flavorframe._rootio import _native

        shape, rows, spent = self.shape, self.rows, self.spent
        sizes = NOTHING if shape.kind == Kind.SCALARS else np.empty(len(rows), np.int64)
        ends = np.empty(len(rows), np.int64) if shape.kind == Kind.NAMES else NOTHING
        room = self.room if shape.kind != Kind.NAMES else 1024
        try:
            values, number, reading, decompressing, decoding, fetched = _native.read(
                self._given(table, parts), table, rows, shape.kind, shape.dtype.itemsize,
                shape.header, room, decompress_block, sizes, ends,
            )  # fmt: skip
        except ValueError as error:
            place, reason = error.args
            raise DamageError(f"basket {first + place}: {reason}") from None
        except NotImplementedError as error:
            raise UnusualError(error.args[1]) from None
        spent.reading += reading
        spent.decompressing += decompressing
        spent.decoding += decoding
        spent.bytes += fetched - sum(map(len, parts.values()))
        if shape.kind == Kind.NAMES:
            with spent.on("decoding"):
                return _names(values, ends[:number], sizes)
        found = np.frombuffer(values, shape.dtype.newbyteorder("="))
        return found if shape.kind == Kind.SCALARS else Packed(found, sizes)

    def _given(self, table: Array, parts: Mapping[int, bytes]) -> int | tuple[Any, ...]:
        """Return the open file, or the baskets that hold a wanted event, fetched at once."""
        if self.source.descriptor is not None and not parts:
            return self.source.descriptor
        first, last = self._places(table)
        wanted = [i for i in np.flatnonzero(last > first).tolist() if i not in parts]
        pieces: list[Any] = [parts.get(i, b"") for i in range(len(table))]
        with self.spent.on("reading"):
            begins = table[wanted, POSITION]
            ranges = zip(begins.tolist(), (begins + table[wanted, BYTES]).tolist(), strict=True)
            for i, piece in zip(wanted, self.source.ranges(list(ranges)), strict=True):
                pieces[i] = piece
        return tuple(pieces)

    def _places(self, table: Array) -> tuple[Array, Array]:
        """Return between which places of the rows those of each basket lie."""
        first, last = np.searchsorted(self.rows, table[:, [FIRST, END]].T)
        return first, last

    def parts(
        self, index: BasketIndex, shared: Sequence[int], first_number: int, table: Array
    ) -> dict[int, bytes]:
        """Return the wanted part of each shared basket, and have the table tell of that instead.

        Raises OddBlocksError where one has to be read whole.
        """
        first, last = self._places(table)
        found = {}
        for number in shared:
            i = number - first_number
            if first[i] < last[i]:
                begin, end = int(self.rows[first[i]]), int(self.rows[last[i] - 1]) + 1
                offset = int(table[i, FIRST])
                found[i] = self._part(index, number, begin - offset, end - offset)
                table[i, BYTES:] = len(found[i]), begin, end
        return found

    def _part(self, index: BasketIndex, number: int, first: int, last: int) -> bytes:
        with self.spent.on_blocks(self.source) as fetch:
            if number not in index.large:
                place, size = int(index.positions[number]), int(index.sizes[number])
                basket = LargeBasket.at(place, size, fetch)
                index.large.setdefault(number, basket)  # one for all threads
            basket = index.large[number]
            if basket.entries != index.entries[number + 1] - index.entries[number]:
                raise OddBlocksError
            if self.shape.kind == Kind.SCALARS:
                return scalars(basket, first, last, self.shape.dtype.itemsize, fetch)
            return lists(basket, first, last, fetch)


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
