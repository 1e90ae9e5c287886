"""Baskets that several partitions share: each block of one is read and decompressed once.

A basket is compressed in blocks of at most 16 MB. Of one that goes beyond the partition, only the
blocks are read that hold what is wanted, and they are kept for the partitions that come next. The
compiled part is given what is wanted as a small basket of its own, which is not compressed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flavorframe.engine.columnar.codecs import decompress_block
from flavorframe.engine.columnar.kept import kept

LARGE = 2**16
"""Bytes, decompressed, from which on a basket that is shared is read by block."""
HEAD = 512
"""Bytes in which a basket's key and the header of its first block nearly always end."""
BLOCK_HEADER = 9
KEY = struct.Struct(">i2xI4xh2x10xii1x")
"""A basket's key, as short as the compiled part takes it: total size, that of the content, that of
the key, number of entries, and where their bytes end, from the beginning of the key."""
TAIL = struct.Struct(">ii")
TAIL_FROM_END = 9

Fetch = Callable[[int, int], memoryview]
"""Returns the bytes of the file from one position up to another."""


class OddBasketError(Exception):
    """A basket that has to be read whole, which also tells what is wrong with it."""


@dataclass(frozen=True, eq=False)
class LargeBasket:
    """What the key of a basket says, and where its blocks lie.

    ``border`` is where the bytes of its entries end. ``places`` and ``begins`` are the positions of
    the blocks, in the file and in the content, with the ends. There are none for a basket that is
    not compressed.
    """

    content: int
    size: int
    entries: int
    border: int
    header: int
    places: tuple[int, ...]
    begins: tuple[int, ...]

    @classmethod
    def at(cls, position: int, length: int, fetch: Fetch) -> LargeBasket:
        """Return the basket at a position; raises OddBasketError where its numbers do not fit."""
        head = fetch(position, position + min(length, HEAD))
        _require(len(head) >= KEY.size)
        total, size, header = struct.unpack_from(">i2xI4xh", head)
        _require(total == length and KEY.size <= header <= len(head) - BLOCK_HEADER)
        entries, last = TAIL.unpack_from(head, header - TAIL_FROM_END)
        _require(entries >= 0 and 0 <= last - header <= size)
        content, end = position + header, position + length
        places, begins = _blocks(content, end, size, head[header:], fetch)
        return cls(content, size, entries, last - header, header, places, begins)

    def content_bytes(self, begin: int, end: int, fetch: Fetch) -> bytes:
        """Return the content from one byte up to another."""
        _require(0 <= begin <= end <= self.size)
        if not self.places:
            return _exactly(fetch, self.content + begin, self.content + end)
        first = int(np.searchsorted(self.begins, begin, "right")) - 1
        parts = []
        for number in range(first, len(self.places) - 1):
            start, stop = self.begins[number : number + 2]
            if start >= end:
                break
            block = memoryview(self._block(number, fetch))
            parts.append(block[max(begin - start, 0) : min(end, stop) - start])
        return b"".join(parts)

    def _block(self, number: int, fetch: Fetch) -> bytearray:
        from flavorframe.engine.columnar import _native

        def make() -> tuple[bytearray, int]:
            compressed = fetch(*self.places[number : number + 2])
            size = self.begins[number + 1] - self.begins[number]
            try:
                return _native.decompress(compressed, size, decompress_block), size
            except (ValueError, NotImplementedError):
                raise OddBasketError from None

        found: bytearray = kept.get((self, number), make)
        return found


def _blocks(
    content: int, end: int, size: int, head: memoryview, fetch: Fetch
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if end - content == size:
        return (), ()
    places, begins = [content], [0]
    while places[-1] < end:
        if len(places) > 1:
            head = fetch(places[-1], min(places[-1] + BLOCK_HEADER, end))
        _require(len(head) >= BLOCK_HEADER)
        places.append(places[-1] + BLOCK_HEADER + int.from_bytes(head[3:6], "little"))
        begins.append(begins[-1] + int.from_bytes(head[6:9], "little"))
    _require(places[-1] == end and begins[-1] == size)
    return tuple(places), tuple(begins)


def scalars(basket: LargeBasket, first: int, last: int, itemsize: int, fetch: Fetch) -> bytes:
    """Return the entries from ``first`` up to ``last``, numbers, as a basket of their own."""
    _require(basket.border == basket.entries * itemsize)
    data = basket.content_bytes(first * itemsize, last * itemsize, fetch)
    return _key(last - first, len(data), len(data)) + data


def lists(basket: LargeBasket, first: int, last: int, fetch: Fetch) -> bytes:
    """Return the entries from ``first`` up to ``last``, of any length, as a basket of their own."""
    _require(basket.border + 4 * (basket.entries + 1) <= basket.size)
    table = basket.border + 4
    stop = min(last + 1, basket.entries)
    raw = basket.content_bytes(table + 4 * first, table + 4 * stop, fetch)
    begins = np.frombuffer(raw, ">i4").astype(np.int64) - basket.header
    end = int(begins[-1]) if last < basket.entries else basket.border
    begin = int(begins[0])
    _require(end <= basket.border)
    data = basket.content_bytes(begin, end, fetch)
    begins = (begins[: last - first] - begin + KEY.size).astype(">i4")
    size = len(data) + 4 * (last - first + 1)
    return _key(last - first, len(data), size) + data + b"\0\0\0\0" + begins.tobytes()


def _key(entries: int, border: int, size: int) -> bytes:
    return KEY.pack(KEY.size + size, size, KEY.size, entries, KEY.size + border)


def _exactly(fetch: Fetch, begin: int, end: int) -> bytes:
    found = fetch(begin, end)
    _require(len(found) == end - begin)
    return bytes(found)


def _require(fits: bool) -> None:
    if not fits:
        raise OddBasketError
