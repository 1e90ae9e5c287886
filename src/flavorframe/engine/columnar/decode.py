"""Decode decompressed baskets into flat arrays, in compiled loops.

ROOT writes numbers big-endian. Where entries vary in length, a table of their beginnings (32 bits
each, counted from the start of the key) stands behind the data. An entry that is a ``std::vector``
begins with ten bytes: byte count, version, and its number of elements in the last four.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from flavorframe.engine.columnar.arrays import Array, Names
from flavorframe.engine.columnar.baskets import VECTOR_HEADER, Block, DamageError
from flavorframe.engine.columnar.segments import ranges

compiled = numba.njit(nogil=True, cache=True)


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


def lists(block: Block, dtype: np.dtype[Any], *, header: int) -> tuple[Array, Array]:
    """Return the elements of the wanted events' lists, and where each list begins and ends."""
    begins, sizes = entries(block, dtype.itemsize, header)
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    bits = np.empty(int(offsets[-1]), f"u{dtype.itemsize}")
    COPIERS[dtype.itemsize](block.data, begins, sizes, bits)
    return bits.view(dtype.newbyteorder("=")), offsets


def entries(block: Block, itemsize: int, header: int) -> tuple[Array, Array]:
    """Return where each wanted entry's elements begin, and how many there are.

    With a header its own count of elements is checked; ``itemsize`` 1 takes elements as bytes.
    """
    count = int((block.table[:, 6] - block.table[:, 5]).sum())
    begins, sizes = np.empty(count, np.int64), np.empty(count, np.int64)
    wrong = _locate(block.data, block.table, itemsize, header, begins, sizes)
    if wrong >= 0:
        raise DamageError(f"basket {wrong} of these: its entries do not fit its data")
    return begins, sizes


def names(block: Block) -> tuple[Names, Array]:
    """Return the strings of lists of strings, and where each list begins and ends.

    A list that repeats the one before, as trigger names do, is recognised on its bytes.
    """
    begins, sizes = entries(block, 1, 0)
    changed = np.ones(len(begins), np.bool_)
    _mark_changes(block.data, begins, sizes, changed)
    known: dict[bytes, int] = {}
    distinct: list[list[str]] = []
    kinds = []
    for event in np.flatnonzero(changed):
        raw = block.data[begins[event] : begins[event] + sizes[event]].tobytes()
        if raw not in known:
            known[raw] = len(distinct)
            distinct.append(_strings(raw))
        kinds.append(known[raw])
    which = np.array(kinds, np.int64)[np.cumsum(changed) - 1]
    return _numbered(distinct, which)


def _numbered(distinct: list[list[str]], which: Array) -> tuple[Names, Array]:
    """Return the strings of the lists ``distinct[which[0]]``, ``distinct[which[1]]``, …"""
    words = {word: i for i, word in enumerate(dict.fromkeys(w for item in distinct for w in item))}
    codes = np.array([words[word] for item in distinct for word in item], np.int32)
    lengths = np.array([len(item) for item in distinct], np.int64)
    starts = np.cumsum(lengths) - lengths
    offsets = np.zeros(len(which) + 1, np.int64)
    np.cumsum(lengths[which], out=offsets[1:])
    return Names(codes[ranges(starts[which], lengths[which])], tuple(words)), offsets


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


@compiled
def _int32(data: Array, place: int) -> int:
    i = np.uintp(place)
    value: int = (
        (np.int64(data[i]) << 24)
        | (np.int64(data[i + np.uintp(1)]) << 16)
        | (np.int64(data[i + np.uintp(2)]) << 8)
        | np.int64(data[i + np.uintp(3)])
    )
    return value


@compiled
def _locate(
    data: Array, table: Array, itemsize: int, header: int, begins: Array, sizes: Array
) -> int:
    """Fill begins and sizes; return the row of a basket that contradicts itself, or −1."""
    out = 0
    for row in range(len(table)):
        base, size, border, key = table[row, 0], table[row, 1], table[row, 2], table[row, 3]
        number, first, last = table[row, 4], table[row, 5], table[row, 6]
        if size < border + 4 * (number + 1):
            return row
        for i in range(first, last):
            begin = _int32(data, base + border + 4 * (i + 1)) - key
            end = border if i + 1 == number else _int32(data, base + border + 4 * (i + 2)) - key
            length = end - begin - header
            if begin < 0 or end > border or length < 0 or length % itemsize != 0:
                return row
            sizes[out] = length // itemsize
            begins[out] = base + begin + header
            if header == VECTOR_HEADER and _int32(data, base + begin + 6) != sizes[out]:
                return row
            out += 1
    return -1


@compiled
def _mark_changes(data: Array, begins: Array, sizes: Array, changed: Array) -> None:
    """Note for each entry but the first whether its bytes differ from the entry before."""
    for i in range(1, len(begins)):
        same = sizes[i] == sizes[i - 1]
        if same:
            a, b = np.uintp(begins[i]), np.uintp(begins[i - 1])
            for k in range(sizes[i]):
                if data[a + np.uintp(k)] != data[b + np.uintp(k)]:
                    same = False
                    break
        changed[i] = not same


# The loops below count in unsigned numbers, without which each access would test for negative
# indices and the bytes of a number would be loaded one by one.


@compiled
def _copy8(data: Array, begins: Array, sizes: Array, out: Array) -> None:
    place = np.uintp(0)
    for entry in range(len(begins)):
        i = np.uintp(begins[entry])
        for _ in range(sizes[entry]):
            out[place] = (
                (np.uint64(data[i]) << np.uint64(56))
                | (np.uint64(data[i + np.uintp(1)]) << np.uint64(48))
                | (np.uint64(data[i + np.uintp(2)]) << np.uint64(40))
                | (np.uint64(data[i + np.uintp(3)]) << np.uint64(32))
                | (np.uint64(data[i + np.uintp(4)]) << np.uint64(24))
                | (np.uint64(data[i + np.uintp(5)]) << np.uint64(16))
                | (np.uint64(data[i + np.uintp(6)]) << np.uint64(8))
                | np.uint64(data[i + np.uintp(7)])
            )
            place += np.uintp(1)
            i += np.uintp(8)


@compiled
def _copy4(data: Array, begins: Array, sizes: Array, out: Array) -> None:
    place = np.uintp(0)
    for entry in range(len(begins)):
        i = np.uintp(begins[entry])
        for _ in range(sizes[entry]):
            out[place] = (
                (np.uint32(data[i]) << np.uint32(24))
                | (np.uint32(data[i + np.uintp(1)]) << np.uint32(16))
                | (np.uint32(data[i + np.uintp(2)]) << np.uint32(8))
                | np.uint32(data[i + np.uintp(3)])
            )
            place += np.uintp(1)
            i += np.uintp(4)


@compiled
def _copy2(data: Array, begins: Array, sizes: Array, out: Array) -> None:
    place = np.uintp(0)
    for entry in range(len(begins)):
        i = np.uintp(begins[entry])
        for _ in range(sizes[entry]):
            out[place] = (np.uint16(data[i]) << np.uint16(8)) | np.uint16(data[i + np.uintp(1)])
            place += np.uintp(1)
            i += np.uintp(2)


@compiled
def _copy1(data: Array, begins: Array, sizes: Array, out: Array) -> None:
    place = np.uintp(0)
    for entry in range(len(begins)):
        i = np.uintp(begins[entry])
        for _ in range(sizes[entry]):
            out[place] = data[i]
            place += np.uintp(1)
            i += np.uintp(1)


COPIERS = {1: _copy1, 2: _copy2, 4: _copy4, 8: _copy8}
"""Copy elements of so many bytes from wherever their entries are."""
