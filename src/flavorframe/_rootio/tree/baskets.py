"""Read baskets of a TTree's branch: from bytes to flat arrays in one call.

A basket is a key (its header), then its compressed payload: the entries' bytes and, where entries
vary in length, a table of where each begins. The compiled part reads, decompresses and decodes them
without Python's lock, and decodes of each only the events that are asked for (``native/read.c``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from flavorframe._rootio import compiled
from flavorframe._rootio.arrays import Array, Lists
from flavorframe._rootio.codecs import decompress_block
from flavorframe._rootio.compressed_blocks import BlocksMismatchError
from flavorframe._rootio.read_errors import DamageError, LeftToUprootError
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.source import Bytes, Source
from flavorframe._rootio.tree.basket_table import BYTES, END, FIRST, POSITION, BasketTable
from flavorframe._rootio.tree.interpretation import Kind, Shape
from flavorframe._rootio.tree.partial_baskets import SharedBasket, lists, scalars
from flavorframe._rootio.tree.strings import decode_strings

NOTHING = np.zeros(0, np.int64)


def read_events(
    source: Source, baskets: BasketTable, shape: Shape, start: int, stop: int, rows: Array,
    stats: ReadStats,
) -> Array | Lists:  # fmt: skip
    """Return a branch's values at the events start + ``rows``.

    ``rows`` are in ascending order, and start + rows lie before ``stop``. Only the baskets that
    hold one of them are read; of large ones that other partitions share, only the parts that do.
    Raises DamageError, naming the basket, for bytes that contradict each other.
    """
    numbers = baskets.covering(start, stop)
    wanted = _Wanted(source, shape, rows, int(baskets.mean * len(rows)) + 64, stats)
    shared = baskets.shared(numbers, start, stop)
    if shared:  # where this fails, reading the baskets whole tells why
        with suppress(BlocksMismatchError, DamageError, LeftToUprootError):
            table = baskets.rows(numbers, start)
            parts = wanted.parts(baskets, shared, numbers.start, table)
            return wanted.read(numbers.start, table, parts)
    return wanted.read(numbers.start, baskets.rows(numbers, start), {})


@dataclass(frozen=True)
class _Wanted:
    """What is to be read of a branch; ``room`` is an estimate of how many bytes that will be."""

    source: Source
    shape: Shape
    rows: Array
    room: int
    stats: ReadStats

    def read(self, first: int, table: Array, parts: Mapping[int, bytes]) -> Array | Lists:
        """Return the values of the rows in a table of baskets, which begins with number ``first``.

        ``parts`` are baskets of the table that have been read.
        """
        native = compiled.native
        if native is None:
            raise LeftToUprootError("the compiled part is not installed")
        shape, rows, stats = self.shape, self.rows, self.stats
        sizes = NOTHING if shape.kind == Kind.SCALARS else np.empty(len(rows), np.int64)
        ends = np.empty(len(rows), np.int64) if shape.kind == Kind.STRINGS else NOTHING
        room = self.room if shape.kind != Kind.STRINGS else 1024
        try:
            values, number, reading, decompressing, decoding, fetched = native.read(
                self._given(table, parts), table, rows, shape.kind, shape.dtype.itemsize,
                shape.length, shape.header, room, decompress_block, sizes, ends,
            )  # fmt: skip
        except ValueError as error:
            place, reason = error.args
            raise DamageError(f"basket {first + place}: {reason}") from None
        except NotImplementedError as error:
            raise LeftToUprootError(error.args[1]) from None
        stats.reading += reading
        stats.decompressing += decompressing
        stats.decoding += decoding
        stats.bytes += fetched - sum(map(len, parts.values()))
        if shape.kind == Kind.STRINGS:
            with stats.timed("decoding"):
                return decode_strings(values, ends[:number], sizes)
        with stats.timed("decoding"):
            return self._column(np.frombuffer(values, shape.dtype.newbyteorder("=")), sizes)

    def _column(self, found: Array, sizes: Array) -> Array | Lists:
        """Return the column, of the numbers that were in the file."""
        shape, events = self.shape, len(self.rows)
        if shape.narrow is not None:
            found = shape.narrow.decoded(found)
        if shape.kind == Kind.SCALARS:
            sizes = np.full(events, math.prod(shape.dims), np.int64)
            return Lists(found, sizes) if shape.dims else found
        if shape.length > 1:
            sizes, left = np.divmod(sizes, shape.length)
            if left.any():
                raise DamageError("a list of it ends within a number")
        return Lists(found, sizes)

    def _given(self, table: Array, parts: Mapping[int, bytes]) -> int | tuple[Bytes, ...]:
        """Return the open file, or the baskets that hold a wanted event, fetched at once."""
        if self.source.descriptor is not None and not parts:
            return self.source.descriptor
        first, last = self._places(table)
        wanted = [i for i in np.flatnonzero(last > first).tolist() if i not in parts]
        pieces: list[Bytes] = [parts.get(i, b"") for i in range(len(table))]
        with self.stats.timed("reading"):
            begins = table[wanted, POSITION]
            ranges = zip(begins.tolist(), (begins + table[wanted, BYTES]).tolist(), strict=True)
            for i, piece in zip(wanted, self.source.ranges(list(ranges)), strict=True):
                pieces[i] = piece
        return tuple(pieces)

    def _places(self, table: Array) -> tuple[Array, Array]:
        """Return which of the rows lie in each basket: the place of the first, and of the end."""
        first, last = np.searchsorted(self.rows, table[:, [FIRST, END]].T)
        return first, last

    def parts(
        self, baskets: BasketTable, shared: Sequence[int], first_number: int, table: Array
    ) -> dict[int, bytes]:
        """Return the wanted part of each shared basket, and change its row of the table to it.

        Raises BlocksMismatchError where one has to be read whole.
        """
        first, last = self._places(table)
        found = {}
        for number in shared:
            i = number - first_number
            if first[i] < last[i]:
                begin, end = int(self.rows[first[i]]), int(self.rows[last[i] - 1]) + 1
                offset = int(table[i, FIRST])
                found[i] = self._part(baskets, number, begin - offset, end - offset)
                table[i, BYTES:] = len(found[i]), begin, end
        return found

    def _part(self, baskets: BasketTable, number: int, first: int, last: int) -> bytes:
        with self.stats.timed_blocks(self.source) as fetch:
            if number not in baskets.opened:
                place, size = int(baskets.positions[number]), int(baskets.sizes[number])
                found = SharedBasket.at(place, size, fetch)
                baskets.opened.setdefault(number, found)  # one for all threads
            basket = baskets.opened[number]
            if basket.entries != baskets.entries[number + 1] - baskets.entries[number]:
                raise BlocksMismatchError
            if self.shape.kind == Kind.SCALARS:
                bytes_each = self.shape.dtype.itemsize * self.shape.length
                return scalars(basket, first, last, bytes_each, fetch)
            return lists(basket, first, last, fetch)
