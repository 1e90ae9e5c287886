"""Rows of snapshots, from the words that events write to columns in the order of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from flavorframe.engines._rdataframe.codegen.fillings import HEADER
from flavorframe.engines._rdataframe.codegen.ledger import Array
from flavorframe.engines.partial import Chunk
from flavorframe.errors import RunError


def ordered_rows(
    words: Array, counts: Array, types: Mapping[str, np.dtype[Any]], names: Sequence[str]
) -> tuple[Chunk, ...]:
    """Return the columns of a snapshot for each file, in the order of its events.

    ``names`` are the files as ROOT calls them, with their trees.
    """
    starts = np.cumsum(counts) - counts
    files = _file_numbers(words[starts], names)
    is_row = np.ones(len(words), bool)
    is_row[starts] = is_row[starts + 1] = False
    rows = words[is_row].reshape(-1, len(types))
    event = np.repeat(np.arange(len(counts)), (counts - HEADER) // len(types))
    order = np.lexsort((words[starts + 1][event], files[event]))
    columns = {name: _as_type(rows[order, i], kind) for i, (name, kind) in enumerate(types.items())}
    edges = np.searchsorted(files[event][order], np.arange(len(names) + 1))
    return tuple(
        {name: column[start:stop] for name, column in columns.items()}
        for start, stop in pairwise(edges.tolist())
    )


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


def _as_type(words: Array, kind: np.dtype[Any]) -> Array:
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
