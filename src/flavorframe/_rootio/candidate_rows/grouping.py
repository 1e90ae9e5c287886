"""Finding the events of a file with one row a candidate, by the branches that tell them apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from flavorframe._rootio.arrays import Array, Lists, Strings
from flavorframe._rootio.candidate_rows.groups import BLOCK, Groups
from flavorframe._rootio.key_hashes import hashed
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.root_file import RootFile, require_whole
from flavorframe._rootio.schema import Schema
from flavorframe.errors import BranchError, FileError, did_you_mean

PIECE = 16 * BLOCK
"""The keys of so many rows are in memory at a time."""


def groups_of(file: RootFile, key: tuple[str, ...]) -> Groups:
    """Return the events of a file by the branches ``key``, which are read once for all partitions.

    Raises BranchError where such a branch is not there or cannot be compared, FileError where rows
    of one event do not follow each other.
    """
    with file.grouping:
        if key not in file.groups:
            _check(file.schema, key)
            require_whole(file.path, file.schema, file.events, file.shorter, key)
            file.groups[key] = _found(file, key)
        return file.groups[key]


def _check(schema: Schema, key: tuple[str, ...]) -> None:
    for branch in key:
        if branch not in schema.by_name:
            raise BranchError(
                f"Tree {schema.tree} has no branch {branch!r}, which tells events apart."
                f"{did_you_mean(branch, schema.by_name)}"
            )
        info = schema.by_name[branch]
        if info.shape != "scalar" or info.kind not in ("int", "unsigned", "float", "bool"):
            raise BranchError(
                f"Branch {branch} holds {info.typename}: events are told apart by one number in "
                "each row."
            )


def _found(file: RootFile, key: tuple[str, ...]) -> Groups:
    hashes: list[Array] = []
    groups = Groups.of(_begins(file, key, hashes), file.events)
    events = np.concatenate([*hashes, np.zeros(0, np.uint64)])
    ordered = np.sort(events)
    if (ordered[1:] == ordered[:-1]).any():
        _refuse_rows_apart(file, key, groups, events)
    return groups


def _begins(file: RootFile, key: tuple[str, ...], hashes: list[Array]) -> Iterator[Array]:
    """Yield for each row whether an event begins there; ``hashes`` gets a number of each event."""
    last: list[Array] | None = None
    for start in range(0, file.events, PIECE):
        columns = _keys(file, key, start, min(start + PIECE, file.events))
        begins = np.zeros(len(columns[0]), bool)
        begins[0] = last is None or any(
            column[0] != before[-1] for column, before in zip(columns, last, strict=True)
        )
        for column in columns:
            begins[1:] |= column[1:] != column[:-1]
        hashes.append(hashed([column[begins] for column in columns]))
        last = columns
        yield begins


def _keys(file: RootFile, key: Sequence[str], start: int, stop: int) -> list[Array]:
    rows = np.arange(stop - start)
    columns = []
    for branch in key:
        column = file.read(branch, start, stop, rows, ReadStats())
        assert not isinstance(column, Lists | Strings)
        if np.isnan(column).any():
            row = start + int(np.isnan(column).argmax())
            raise FileError(
                f"{file.path}: branch {branch}, which tells events apart, is NaN in row {row}."
            )
        columns.append(column)
    return columns


def _refuse_rows_apart(file: RootFile, key: tuple[str, ...], groups: Groups, hashes: Array) -> None:
    """Raise FileError where events of the same number have the same key as well."""
    starts = groups.starts(0, groups.events)
    order = np.argsort(hashes, kind="stable")
    for place in np.flatnonzero(hashes[order][1:] == hashes[order][:-1]):
        one, other = (int(starts[order[i]]) for i in (place, place + 1))
        first, second = (_keys(file, key, row, row + 1) for row in (one, other))
        if all(a[0] == b[0] for a, b in zip(first, second, strict=True)):
            named = ", ".join(f"{n} {v[0]}" for n, v in zip(key, first, strict=True))
            raise FileError(
                f"{file.path}: the event {named} has rows at {one} and at {other}, and rows of "
                "other events lie between. Rows of one event must follow each other: sort the "
                f"file by {' and '.join(key)}."
            )
