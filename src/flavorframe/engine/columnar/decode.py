"""Decode decompressed baskets into flat arrays, in compiled loops.

ROOT writes numbers big-endian. Where entries vary in length, a table of their beginnings (32 bits
each, counted from the start of the key) stands behind the data. An entry that is a ``std::vector``
begins with ten bytes: byte count, version, and its number of elements in the last four.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe.engine.columnar import _decode
from flavorframe.engine.columnar.arrays import Array, Lists, Names, Packed
from flavorframe.engine.columnar.baskets import VECTOR_HEADER, Block, DamageError


def scalars(block: Block, dtype: np.dtype[Any]) -> Array:
    """Return one value for each wanted event; ``dtype`` is that of the file."""
    table = block.table
    values = np.empty(int((table[:, 6] - table[:, 5]).sum()), dtype.newbyteorder("="))
    place = 0
    for number, (begin, _, border, _, entries, first, last) in enumerate(table.tolist()):
        if border != entries * dtype.itemsize:
            raise DamageError(f"basket {number} of these: {entries} events take {border} bytes")
        stored = block.data[begin : begin + border].view(dtype)
        values[place : place + last - first] = stored[first:last]
        place += last - first
    return values


@dataclass(frozen=True)
class Stored(Lists):
    """Lists whose elements still lie where the baskets have them, big-endian."""

    data: Array
    begins: Array
    sizes: Array
    dtype: np.dtype[Any]

    def take(self, rows: Array) -> Array:
        """Return the elements of some events, one event after the other."""
        sizes = self.sizes[rows]
        bits = np.empty(int(sizes.sum()), f"u{self.dtype.itemsize}")
        _decode.copy(self.data, self.begins[rows], sizes, self.dtype.itemsize, bits)
        return bits.view(self.dtype.newbyteorder("="))


def lists(block: Block, dtype: np.dtype[Any], *, header: int) -> Stored:
    """Return the lists of the wanted events; ``dtype`` is that of the file."""
    return Stored(block.data, *entries(block, dtype.itemsize, header), dtype)


def entries(block: Block, itemsize: int, header: int) -> tuple[Array, Array]:
    """Return where each wanted entry's elements begin, and how many there are.

    With a header its own count of elements is checked; ``itemsize`` 1 takes elements as bytes.
    """
    count = int((block.table[:, 6] - block.table[:, 5]).sum())
    begins, sizes = np.empty(count, np.int64), np.empty(count, np.int64)
    wrong = _decode.locate(block.data, block.table, itemsize, header, begins, sizes)
    if wrong >= 0:
        raise DamageError(f"basket {wrong} of these: its entries do not fit its data")
    return begins, sizes


def names(block: Block) -> Packed:
    """Return lists of strings; lists that are alike share their elements.

    A list that repeats the one before, as trigger names do, is recognised on its bytes.
    """
    begins, sizes = entries(block, 1, 0)
    changed = np.empty(len(begins), np.bool_)
    _decode.mark_changes(block.data, begins, sizes, changed)
    known: dict[bytes, int] = {}
    distinct: list[list[str]] = []
    kinds = []
    for event in np.flatnonzero(changed):
        raw = block.data[begins[event] : begins[event] + sizes[event]].tobytes()
        if raw not in known:
            known[raw] = len(distinct)
            distinct.append(_strings(raw))
        kinds.append(known[raw])
    return _numbered(distinct, np.array(kinds, np.int64)[np.cumsum(changed) - 1])


def _numbered(distinct: list[list[str]], which: Array) -> Packed:
    """Return the lists ``distinct[which[0]]``, ``distinct[which[1]]``, …"""
    words = {word: i for i, word in enumerate(dict.fromkeys(w for item in distinct for w in item))}
    codes = np.array([words[word] for item in distinct for word in item], np.int32)
    sizes = np.array([len(item) for item in distinct], np.int64)
    starts = np.cumsum(sizes) - sizes
    return Packed(Names(codes, tuple(words)), starts[which], sizes[which])


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
