"""The formats of snapshots' files, and what each of them can hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from flavorframe._snapshots.awkward_lists import as_awkward, awkward_type
from flavorframe._snapshots.columns import (
    STRING,
    Column,
    Columns,
    Lists,
    Types,
    listed,
    row_count,
    type_of,
)
from flavorframe.errors import AnalysisError, OutputError, RunError, did_you_mean

FORMATS = ("ttree", "rntuple", "parquet")
_FORMAT_OF_SUFFIX = {".root": "ttree", ".parquet": "parquet"}
_TYPES = {"bool", "float32", "float64"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
# ROOT refuses these in the names of an RNTuple's fields (EnsureValidNameForRNTuple).
_NOT_IN_RNTUPLE = frozenset("./\\ ")


class FormatWriter(Protocol):
    """Writes rows to an open file of one format."""

    def __init__(self, file: BinaryIO, tree: str, types: Types) -> None: ...
    def write(self, columns: Columns) -> None: ...
    def add_tree(self, tree: str, columns: Columns) -> None: ...
    def close(self) -> None: ...


class _RootWriter:
    _make: str

    def __init__(self, file: BinaryIO, tree: str, types: Types) -> None:
        import uproot

        self._root = uproot.recreate(file, compression=uproot.ZSTD(5))
        self._tree = self._made(tree, types)

    def write(self, columns: Columns) -> None:
        self._tree.extend({name: as_awkward(column) for name, column in columns.items()})

    def add_tree(self, tree: str, columns: Columns) -> None:
        types = {name: type_of(column) for name, column in columns.items()}
        content = {name: as_awkward(column) for name, column in columns.items()}
        made = self._made(tree, types)
        if row_count(columns):
            made.extend(content)

    def close(self) -> None:
        self._root.close()

    def _made(self, tree: str, types: Types) -> Any:
        raise NotImplementedError


class _TTreeWriter(_RootWriter):
    """Lists have a branch that counts them: uproot writes no vectors."""

    def _made(self, tree: str, types: Types) -> Any:
        counters = {name: counter_of(name, kind.counter) for name, kind in types.items()}
        return self._root.mktree(tree, _uproot_types(types), counter_name=counters.__getitem__)


class _RNTupleWriter(_RootWriter):
    def _made(self, tree: str, types: Types) -> Any:
        return self._root.mkrntuple(tree, _uproot_types(types))


def _uproot_types(types: Types) -> dict[str, Any]:
    """Return types as uproot takes them."""
    return {
        name: kind.dtype if kind.counter is None and kind.dtype != STRING else awkward_type(kind)
        for name, kind in types.items()
    }


class _ParquetWriter:
    def __init__(self, file: BinaryIO, tree: str, types: Types) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        fields = [(name, pa.from_numpy_dtype(kind.dtype)) for name, kind in types.items()]
        self._schema = pa.schema(fields)
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, columns: Columns) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.table(dict(columns), schema=self._schema))

    def add_tree(self, tree: str, columns: Columns) -> None:
        raise RunError(f"Parquet holds one table, and no {tree} beside it.")

    def close(self) -> None:
        self._writer.close()


WRITERS: dict[str, type[FormatWriter]] = {
    "ttree": _TTreeWriter,
    "rntuple": _RNTupleWriter,
    "parquet": _ParquetWriter,
}


def format_of(path: Path, format: str | None) -> str:
    """Return the format of a file: the one that is asked for, or the one of its suffix."""
    if format is None and path.suffix not in _FORMAT_OF_SUFFIX:
        raise AnalysisError(
            f"{path}: no format goes with this suffix; use .root, .parquet or format=."
        )
    chosen = format or _FORMAT_OF_SUFFIX[path.suffix]
    if chosen not in FORMATS:
        near = did_you_mean(chosen, FORMATS) or f" Choose one of {listed(FORMATS)}."
        raise AnalysisError(f"{path}: unknown format {chosen!r}.{near}")
    return chosen


def storable(columns: Columns, format: str) -> Columns:
    """Return the columns that a file is told of, without those that only count lists.

    Raises RunError where the format cannot hold one.
    """
    if not columns:
        raise RunError("a snapshot needs at least one column.")
    for name, column in columns.items():
        _require_storable(name, column, format)
    return without_counters(columns) if format == "ttree" else columns


def _require_storable(name: str, column: Column, format: str) -> None:
    kind = type_of(column)
    if kind.counter is not None and kind.dtype == STRING and format == "ttree":
        raise RunError(
            f"column {name!r}: lists of strings cannot be written to a TTree; use format='rntuple'."
        )
    if kind.dtype.name not in _TYPES and (format == "parquet" or not _is_of_strings(column)):
        raise RunError(f"column {name!r} of type {kind.dtype} cannot be written to a file.")
    if format == "rntuple" and _NOT_IN_RNTUPLE.intersection(name):
        raise RunError(f"column {name!r}: an RNTuple allows no dot, slash or space in a name.")


def _is_of_strings(column: Column) -> bool:
    values = column.content if isinstance(column, Lists) else column
    return values.dtype == STRING and all(isinstance(value, str) for value in values.tolist())


def without_counters(columns: Columns) -> Columns:
    """Return the columns without the lengths of lists, which a TTree has in any case.

    Raises OutputError where a column of that name holds something else.
    """
    counters = {
        counter_of(name, column.counter): column.sizes
        for name, column in columns.items()
        if isinstance(column, Lists)
    }
    for name in counters.keys() & columns.keys():
        if not np.array_equal(columns[name], counters[name]):  # type: ignore[arg-type]
            raise OutputError(f"column {name!r} is not the length of the lists that it counts.")
    return {name: column for name, column in columns.items() if name not in counters}


def counter_of(name: str, counter: str | None) -> str:
    """Return the branch of a TTree that counts lists: one in common, or one of their own."""
    return counter or f"n{name}"


def require_pyarrow() -> None:
    """Raise RunError where Parquet cannot be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise RunError(
            "writing Parquet needs pyarrow: run pip install 'flavorframe[parquet]'."
        ) from None
