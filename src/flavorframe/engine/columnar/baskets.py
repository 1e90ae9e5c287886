"""Find, read and decompress the baskets of a TTree's branches, many at a time.

A basket is a key (header), then its compressed payload: the entries' bytes and, where entries vary
in length, a table of where each begins. Source of the format: ROOT's TKey, TBasket and RZip
classes, https://root.cern/doc/master/classTBasket.html.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from flavorframe.engine.columnar.arrays import Array

KEY = struct.Struct(">ihiIhh")
"""Bytes of the key, its version, bytes uncompressed, date, length of the header, cycle."""

TAIL = struct.Struct(">hiiiiB")
"""The header's end: version, buffer size, entry size, entries, end of the data, a flag."""

VECTOR_HEADER = 10
"""Bytes before the elements of a ``std::vector``: byte count, version, number of elements."""

BLOCK_HEADER = 9
"""Bytes before each compressed block: algorithm (2), method (1), sizes (3 and 3)."""


class DamageError(Exception):
    """Bytes that are not what the file says they are; the text says which."""


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

    def ranges(self, wanted: Sequence[tuple[int, int]]) -> list[Any]:
        """Return the bytes from start up to stop, for each range."""


@dataclass(frozen=True)
class Block:
    """The decompressed baskets of a branch, one after the other in ``data``.

    ``table`` has a row for each basket: where its data begin, how long they are with and without
    the table of entries, the length of its header, the number of its entries, and the first and
    last-plus-one of them that are wanted.
    """

    data: Array
    table: Array


@dataclass(frozen=True)
class BasketIndex:
    """Where a branch's baskets lie: file positions, sizes, and first events (with the end)."""

    positions: Array
    sizes: Array
    entries: Array

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
        return cls(positions, sizes, entries)

    def covering(self, start: int, stop: int) -> range:
        """Return the numbers of the baskets that hold the events start ≤ i < stop."""
        first = int(np.searchsorted(self.entries, start, "right")) - 1
        last = int(np.searchsorted(self.entries, stop, "left"))
        return range(max(first, 0), max(first, 0) if start >= stop else last)


def read_block(source: Source, index: BasketIndex, start: int, stop: int, spent: Spent) -> Block:
    """Return the baskets of a branch that hold the events start ≤ i < stop.

    Raises DamageError, naming the basket, for bytes that contradict themselves.
    """
    numbers = index.covering(start, stop)
    begins = index.positions[numbers.start : numbers.stop]
    ends = begins + index.sizes[numbers.start : numbers.stop]
    wanted = list(zip(begins.tolist(), ends.tolist(), strict=True))
    with spent.on("reading"):
        pieces = [memoryview(piece) for piece in source.ranges(wanted)]
        table = _table(index, numbers, pieces, start, stop)
    with spent.on("decompressing"):
        data = _decompressed(numbers, pieces, table)
    spent.bytes += sum(end - begin for begin, end in wanted)
    return Block(data, table)


def _table(
    index: BasketIndex, numbers: range, pieces: list[memoryview], start: int, stop: int
) -> Array:
    """Return the rows of `Block.table`."""
    rows, place = [], 0
    for number, piece in zip(numbers, pieces, strict=True):
        first_event, end_event = int(index.entries[number]), int(index.entries[number + 1])
        with _Naming(number):
            size, border, header, entries = _header(piece, int(index.sizes[number]))
            if entries != end_event - first_event:
                expected = end_event - first_event
                raise DamageError(f"it holds {entries} events, and the tree says {expected}")
        first, last = max(start - first_event, 0), min(stop, end_event) - first_event
        rows.append((place, size, border, header, entries, first, last))
        place += size
    return np.array(rows, np.int64).reshape(-1, 7)


def _decompressed(numbers: range, pieces: list[memoryview], table: Array) -> Array:
    rows = table.tolist()
    data = np.empty(rows[-1][0] + rows[-1][1] if rows else 0, np.uint8)
    for number, piece, (place, size, _, header, *_rest) in zip(numbers, pieces, rows, strict=True):
        with _Naming(number):
            decompress(piece[header:], data[place : place + size])
    return data


class _Naming:
    """Adds the number of the basket to what is said of its damage."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, DamageError):
            raise DamageError(f"basket {self._number}: {error}") from error.__cause__


def _header(piece: memoryview, expected: int) -> tuple[int, int, int, int]:
    """Return a basket's size uncompressed, its data's end, header length and number of entries."""
    if len(piece) < expected or expected < KEY.size:
        raise DamageError(f"the file ends {expected - len(piece)} bytes too early for it")
    nbytes, _, size, _, header, _ = KEY.unpack_from(piece)
    if nbytes != expected or not KEY.size + TAIL.size <= header <= nbytes:
        raise DamageError(f"its key says {nbytes} bytes, and the tree {expected}")
    _, _, _, entries, last, _ = TAIL.unpack_from(piece, header - TAIL.size)
    border = last - header
    if not 0 <= border <= size:
        raise DamageError(f"its data end at byte {border} of {size}")
    _check_size(piece[header:], size)
    return size, border, header, entries


def _check_size(payload: memoryview, size: int) -> None:
    """Refuse a size that the blocks contradict, before memory is set aside for it."""
    if size == len(payload):
        return
    total = sum(after for _, _, after in _blocks(payload))
    if total != size:
        raise DamageError(f"its blocks hold {total} bytes, and its key says {size}")


def _blocks(payload: memoryview) -> Iterator[tuple[bytes, memoryview, int]]:
    """Yield algorithm, compressed bytes and uncompressed size of each block."""
    place = 0
    while place < len(payload):
        head = bytes(payload[place : place + BLOCK_HEADER])
        if len(head) < BLOCK_HEADER:
            raise DamageError("a compressed block ends within its header")
        before = int.from_bytes(head[3:6], "little")
        after = int.from_bytes(head[6:9], "little")
        place += BLOCK_HEADER
        if place + before > len(payload):
            raise DamageError("a compressed block is longer than the basket")
        yield head[:2], payload[place : place + before], after
        place += before


def decompress(payload: memoryview, target: Array) -> None:
    """Decompress the blocks of a basket into the target, which they must fill exactly."""
    if len(payload) == len(target):
        target[:] = payload
        return
    place = 0
    for algorithm, compressed, size in _blocks(payload):
        if algorithm == OLD_ZLIB:
            raise UnusualError("compression of ROOT before version 3")
        codec = CODECS.get(algorithm)
        if codec is None:
            raise DamageError(f"its compression {algorithm!r} is none that ROOT has")
        try:
            written = codec(compressed, target[place : place + size])
        except Exception as error:  # each library has its own
            raise DamageError(f"it does not decompress ({error})") from error
        if written != size:
            raise DamageError(f"a block gives {written} bytes instead of {size}")
        place += size


def _zstd(compressed: memoryview, target: Array) -> int:
    import cramjam

    return int(cramjam.zstd.decompress_into(compressed, target.data))


def _zlib(compressed: memoryview, target: Array) -> int:
    import deflate

    return _copy(deflate.zlib_decompress(compressed, len(target)), target)


def _lz4(compressed: memoryview, target: Array) -> int:
    import cramjam
    import xxhash

    checksum, body = compressed[:8], compressed[8:]
    if xxhash.xxh64_digest(body) != bytes(checksum):
        raise ValueError("its checksum is wrong")
    return _copy(cramjam.lz4.decompress_block(body, output_len=len(target)), target)


def _lzma(compressed: memoryview, target: Array) -> int:
    import lzma

    return _copy(lzma.decompress(compressed), target)


def _copy(result: Any, target: Array) -> int:
    values = np.frombuffer(result, np.uint8)
    if len(values) == len(target):
        target[:] = values
    return len(values)


OLD_ZLIB = b"CS"
CODECS: dict[bytes, Callable[[memoryview, Array], int]] = {
    b"ZS": _zstd,
    b"ZL": _zlib,
    b"L4": _lz4,
    b"XZ": _lzma,
}
"""Decompressors by the two letters that begin a block."""
