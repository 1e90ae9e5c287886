"""Read parts of what ROOT compresses in blocks of 16 MB: only the blocks that hold them.

Blocks are kept for the partitions that come next, so each is read and decompressed once.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from flavorframe._rootio import compiled
from flavorframe._rootio.codecs import decompress_block
from flavorframe._rootio.piece_cache import pieces
from flavorframe._rootio.read_stats import Fetch

MIN_BYTES = 2**16
"""What several partitions share is read block by block from this size on (bytes, decompressed)."""
BLOCK_BYTES = 2**24 - 1
"""Bytes that a block holds; the last one may hold fewer."""
HEADER = 9
"""Bytes before a block: two letters for the algorithm, its version, and the sizes (3 bytes each)
compressed and decompressed."""


class BlocksMismatchError(Exception):
    """Blocks that do not fit what the file says of them: reading all of it tells what is wrong."""


@dataclass(frozen=True, eq=False)
class CompressedBlocks:
    """A run of blocks in a file, which hold ``size`` bytes.

    ``places`` and ``begins`` say where the blocks begin, in the file and in what they hold, with
    the ends. Where nothing is compressed there are none, and the bytes lie at ``position``.
    """

    position: int
    size: int
    places: tuple[int, ...] = ()
    begins: tuple[int, ...] = ()

    @classmethod
    def at(
        cls, position: int, end: int, size: int, fetch: Fetch, head: memoryview | None = None
    ) -> CompressedBlocks:
        """Return the blocks from a position up to another; ``head`` is the first one's header.

        Raises BlocksMismatchError where they do not hold ``size`` bytes.
        """
        if end - position == size:
            return cls(position, size)
        places, begins = [position], [0]
        while places[-1] < end:
            header = head or fetch(places[-1], min(places[-1] + HEADER, end))
            require(len(header) >= HEADER and len(begins) <= size // BLOCK_BYTES + 1)
            places.append(places[-1] + HEADER + int.from_bytes(header[3:6], "little"))
            begins.append(begins[-1] + int.from_bytes(header[6:9], "little"))
            head = None
        require(places[-1] == end and begins[-1] == size)
        return cls(position, size, tuple(places), tuple(begins))

    def read(self, begin: int, end: int, fetch: Fetch) -> bytes:
        """Return what the blocks hold between two bytes; raises BlocksMismatchError for damage."""
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

        found: bytearray = pieces.get((self, number), make)
        return found


def _decompressed(block: memoryview, size: int) -> bytearray:
    if compiled.native is None:
        raise BlocksMismatchError
    try:
        return compiled.native.decompress(block, size, decompress_block)
    except (ValueError, NotImplementedError):
        raise BlocksMismatchError from None


def require(fits: bool) -> None:
    """Raise BlocksMismatchError where numbers do not fit each other."""
    if not fits:
        raise BlocksMismatchError
