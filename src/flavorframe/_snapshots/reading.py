"""Reading rows of snapshots back from the files that they were written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from flavorframe._snapshots.awkward_lists import from_awkward
from flavorframe._snapshots.columns import Columns
from flavorframe._snapshots.formats import counter_of

BLOCK = 20_000
"""Rows that are copied at once; of those of a skim each may take many kilobytes."""

Reader = Callable[[Path, str, int, int], Columns]


def blocks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield the rows from ``start`` up to ``stop`` in ranges that are copied at once."""
    for first in range(start, stop, BLOCK):
        yield first, min(first + BLOCK, stop)


def reader_of(format: str) -> Reader:
    """Return what reads rows from ``start`` up to ``stop`` of a file, given with its tree."""
    return _parquet_rows if format == "parquet" else _root_rows


def _root_rows(path: Path, tree: str, start: int, stop: int) -> Columns:
    import uproot

    with uproot.open(path) as file:
        return columns_of(file[tree], None, start, stop)


def columns_of(
    tree: Any, names: Sequence[str] | None = None, start: int | None = None, stop: int | None = None
) -> Columns:
    """Return the rows of a tree that uproot opened, without the branches that only count lists.

    ``names`` are those of the branches to be read, all by default.
    """
    stored = tree.branches if hasattr(tree, "branches") else tree.fields
    counted = {branch.name: getattr(branch, "count_branch", None) for branch in stored}
    counters = {name: branch.name for name, branch in counted.items() if branch is not None}
    wanted = [name for name in names or counted if name not in counters.values()]
    arrays = tree.arrays(wanted, entry_start=start, entry_stop=stop, library="ak")
    return {
        name: from_awkward(arrays[name], _common_counter(name, counters.get(name, "")))
        for name in wanted
    }


def _common_counter(name: str, counter: str) -> str:
    return "" if counter == counter_of(name, None) else counter


def _parquet_rows(path: Path, tree: str, start: int, stop: int) -> Columns:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path, memory_map=True) as file:
        lengths = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        edges = [0, *accumulate(lengths)]
        groups = [i for i in range(len(lengths)) if edges[i] < stop and edges[i + 1] > start]
        before = edges[groups[0]] if groups else 0
        table = file.read_row_groups(groups).slice(start - before, stop - start)
        return {name: table[name].to_numpy() for name in table.column_names}
