"""What is compressed in blocks of 16 MB: only those are read that hold what is wanted.

They are kept for the partitions that come next, so each is read and decompressed once.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import dataclass

from flavorframe._rootio.codecs import decompress_block
from flavorframe._rootio.kept import kept

LARGE = 2**16
"""Bytes, decompressed, from which on what several partitions share is read by block."""
MOST = 2**24 - 1
"""Bytes that a block holds, but for the last."""
HEADER = 9
"""Bytes before a block: two letters for the algorithm, a third, and the sizes before and after."""

Fetch = Callable[[int, int], memoryview]
"""Returns the bytes of the file from one position up to another."""


class OddBlocksError(Exception):
    """Blocks that have to be read whole, which also tells what is wrong with them."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Some bytes of a file, ``size`` of them decompressed.

    ``places`` and ``begins`` are the positions of the blocks, in the file and in what they hold,
    with the ends. Where nothing is compressed there are none, and the bytes lie at ``position``.
    """

    position: int
    size: int
    places: tuple[int, ...] = ()
    begins: tuple[int, ...] = ()

    @classmethod
    def at(
        cls, position: int, end: int, size: int, fetch: Fetch, head: memoryview | None = None
    ) -> Blocks:
        """Return the blocks from a position up to another; ``head`` is the first one's header.

        Raises OddBlocksError where they do not hold ``size`` bytes.
        """
        if end - position == size:
            return cls(position, size)
        places, begins = [position], [0]
        while places[-1] < end:
            header = head or fetch(places[-1], min(places[-1] + HEADER, end))
            require(len(header) >= HEADER and len(begins) <= size // MOST + 1)
            places.append(places[-1] + HEADER + int.from_bytes(header[3:6], "little"))
            begins.append(begins[-1] + int.from_bytes(header[6:9], "little"))
            head = None
        require(places[-1] == end and begins[-1] == size)
        return cls(position, size, tuple(places), tuple(begins))

    def read(self, begin: int, end: int, fetch: Fetch) -> bytes:
        """Return what they hold, from one byte up to another; raises OddBlocksError for damage."""
        require(0 <= begin <= end <= self.size)
        if not self.places:
            found = fetch(self.position + begin, self.position + end)
            require(len(found) == end - begin)
            return bytes(found)
        first = bisect.bisect_right(self.begins, begin) - 1
        parts = []
        for number in range(first, bisect.bisect_left(self.begins, end)):
            start = self.begins[number]
            block = memoryview(self._block(number, fetch))
            parts.append(block[max(begin - start, 0) : end - start])
        return b"".join(parts)

    def _block(self, number: int, fetch: Fetch) -> bytearray:
        def make() -> tuple[bytearray, int]:
            size = self.begins[number + 1] - self.begins[number]
            compressed = fetch(*self.places[number : number + 2])
            return _decompressed(compressed, size), size

        found: bytearray = kept.get((self, number), make)
        return found


def _decompressed(block: memoryview, size: int) -> bytearray:
    try:
        from flavorframe._rootio import _native

        return _native.decompress(block, size, decompress_block)
    except (ValueError, NotImplementedError, ImportError):  # or installed without a compiler
        raise OddBlocksError from None


def require(fits: bool) -> None:
    """Raise OddBlocksError where numbers do not fit each other."""
    if not fits:
        raise OddBlocksError
