"""Reading rows of snapshots back from the files that they were written to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

from flavorframe._snapshots.columns import Columns

Reader = Callable[[Path, str, int, int], Columns]


def reader_of(format: str) -> Reader:
    """Return what reads rows from ``start`` up to ``stop`` of a file, given with its tree."""
    return _parquet_rows if format == "parquet" else _root_rows


def _root_rows(path: Path, tree: str, start: int, stop: int) -> Columns:
    import uproot

    with uproot.open(path) as file:
        rows: Columns = file[tree].arrays(entry_start=start, entry_stop=stop, library="np")
        return rows


def _parquet_rows(path: Path, tree: str, start: int, stop: int) -> Columns:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path, memory_map=True) as file:
        lengths = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        edges = [0, *accumulate(lengths)]
        groups = [i for i in range(len(lengths)) if edges[i] < stop and edges[i + 1] > start]
        before = edges[groups[0]] if groups else 0
        table = file.read_row_groups(groups).slice(start - before, stop - start)
        return {name: table[name].to_numpy() for name in table.column_names}
