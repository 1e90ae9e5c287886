"""Baskets that several partitions share: each partition reads only the part that it needs.

The compiled part receives it as a small basket of its own, which is not compressed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from flavorframe._rootio.compressed_blocks import HEADER, CompressedBlocks, require
from flavorframe._rootio.read_stats import Fetch

HEAD = 512
"""Bytes that nearly always contain a basket's key and the header of its first block."""
KEY = struct.Struct(">i2xI4xh2x10xii1x")
"""The shortest key of a basket that the compiled part accepts: total size, size of the content and
of the key, number of entries, and where the entries end, counted from the beginning of the key."""
TAIL = struct.Struct(">ii")
"""The last numbers of a key: number of entries, and where they end."""
TAIL_FROM_END = 9
"""Bytes from the beginning of these numbers to the end of the key."""


@dataclass(frozen=True)
class SharedBasket:
    """What the key of a basket says; ``border`` is where the bytes of its entries end."""

    blocks: CompressedBlocks
    entries: int
    border: int
    header: int

    @classmethod
    def at(cls, position: int, length: int, fetch: Fetch) -> SharedBasket:
        """Return the basket at a position; raises BlocksMismatchError where its key is wrong."""
        head = fetch(position, position + min(length, HEAD))
        require(len(head) >= KEY.size)
        total, size, header = struct.unpack_from(">i2xI4xh", head)
        require(total == length and KEY.size <= header <= len(head) - HEADER)
        entries, last = TAIL.unpack_from(head, header - TAIL_FROM_END)
        require(0 <= last - header <= size)
        blocks = CompressedBlocks.at(
            position + header, position + length, size, fetch, head[header:]
        )
        return cls(blocks, entries, last - header, header)


def scalars(basket: SharedBasket, first: int, last: int, itemsize: int, fetch: Fetch) -> bytes:
    """Return the entries from ``first`` up to ``last``, numbers, as a small basket."""
    require(basket.border == basket.entries * itemsize)
    data = basket.blocks.read(first * itemsize, last * itemsize, fetch)
    return _key(last - first, len(data), len(data)) + data


def lists(basket: SharedBasket, first: int, last: int, fetch: Fetch) -> bytes:
    """Return the entries from ``first`` up to ``last``, of any length, as a small basket."""
    table = basket.border + 4
    require(table + 4 * basket.entries <= basket.blocks.size)
    stop = min(last + 1, basket.entries)
    raw = basket.blocks.read(table + 4 * first, table + 4 * stop, fetch)
    begins = np.frombuffer(raw, ">i4").astype(np.int64) - basket.header
    begin, end = int(begins[0]), int(begins[-1]) if last < basket.entries else basket.border
    require(end <= basket.border)
    data = basket.blocks.read(begin, end, fetch)
    begins = (begins[: last - first] - begin + KEY.size).astype(">i4")
    size = len(data) + 4 + begins.nbytes
    return _key(last - first, len(data), size) + data + b"\0\0\0\0" + begins.tobytes()


def _key(entries: int, border: int, size: int) -> bytes:
    return KEY.pack(KEY.size + size, size, KEY.size, entries, KEY.size + border)
