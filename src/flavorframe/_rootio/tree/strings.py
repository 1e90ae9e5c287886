"""Lists of strings, from the bytes of ``std::vector<std::string>``."""

from __future__ import annotations

import numpy as np

from flavorframe._rootio.arrays import Array, Lists, Strings
from flavorframe._rootio.read_errors import DamageError
from flavorframe._rootio.tree.interpretation import VECTOR_HEADER


def decode_strings(values: bytearray, ends: Array, which: Array) -> Lists:
    """Return lists of strings: event i has the list number which[i] of the distinct ones.

    ``ends`` is where the bytes of each distinct list end. Lists that are equal share their
    elements, so that a test of strings runs once for each distinct list.
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


def _numbered(distinct: list[list[str]], which: Array) -> Lists:
    """Return the lists ``distinct[which[0]]``, ``distinct[which[1]]``, …"""
    strings = [string for strings in distinct for string in strings]
    code_of = {string: code for code, string in enumerate(dict.fromkeys(strings))}
    codes = np.array([code_of[string] for string in strings], np.int32)
    sizes = np.array([len(strings) for strings in distinct], np.int64)
    starts = np.cumsum(sizes) - sizes
    return Lists(Strings(codes, tuple(code_of)), sizes[which], starts[which])


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
