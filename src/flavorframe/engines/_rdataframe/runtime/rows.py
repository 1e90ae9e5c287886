"""Rows of snapshots, from the words that events write to columns in the order of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from flavorframe.engines._rdataframe.codegen.snapshots import KINDS, UNKNOWN, Type, header_size
from flavorframe.engines._rdataframe.codegen.totals import Array
from flavorframe.engines.partial import Chunk
from flavorframe.errors import RunError


def ordered_rows(
    words: Array, counts: Array, types: Mapping[str, Type], names: Sequence[str]
) -> tuple[Chunk, ...]:
    """Return the columns of a snapshot for each file, in the order of its events.

    ``names`` are the files as ROOT calls them, with their trees.
    """
    starts, size = np.cumsum(counts) - counts, header_size(types.values())
    header = [words[starts + i] for i in range(size)]
    files, firsts, numbers, *kinds = _file_numbers(header[0], names), *header[1:]
    is_row = np.ones(len(words), bool)
    is_row[np.add.outer(starts, np.arange(size))] = False
    rows = words[is_row].reshape(-1, len(types))
    event = np.repeat(np.arange(len(counts)), (counts - size) // len(types))
    # Threads count on from whichever entry was counted last, so that first comes where they began.
    order = np.lexsort((numbers[event], firsts[event], files[event]))
    known = _known(types, kinds)
    columns = {name: _as_type(rows[order, i], kind) for i, (name, kind) in enumerate(known.items())}
    edges = np.searchsorted(files[event][order], np.arange(len(names) + 1))
    return tuple(
        {name: column[start:stop] for name, column in columns.items()}
        for start, stop in pairwise(edges.tolist())
    )


def _known(types: Mapping[str, Type], kinds: Sequence[Array]) -> dict[str, Type]:
    """Return the types, of those that are unknown the ones that events tell."""
    told = (KINDS[int(kind.max(initial=0))] for kind in kinds)
    return {name: next(told) if kind == UNKNOWN else kind for name, kind in types.items()}


def _file_numbers(fingerprints: Array, names: Sequence[str]) -> Array:
    if len(names) == 1:
        return np.zeros(len(fingerprints), np.int64)
    order = {fingerprint(name): number for number, name in enumerate(names)}
    try:
        return np.array([order[int(f)] for f in fingerprints], np.int64)
    except KeyError:
        raise RunError(
            "ROOT calls a file otherwise than it was given: rows have no order."
        ) from None


def _as_type(words: Array, kind: Type) -> Array:
    words = np.ascontiguousarray(words)
    values = words.view(np.float64) if kind.kind == "f" else words
    typed: Array = values.astype(kind)
    return typed


def fingerprint(name: str) -> int:
    """Return the number that the C++ has for a file's name (FNV-1a, 64 bits)."""
    value = 14695981039346656037
    for byte in name.encode():
        value = ((value ^ byte) * 1099511628211) % 2**64
    return value - 2**64 if value >= 2**63 else value
