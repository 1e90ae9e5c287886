"""The formats of snapshots' files, and what each of them can hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from flavorframe._snapshots.columns import Columns, Types, listed
from flavorframe.errors import AnalysisError, RunError, did_you_mean

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
    def close(self) -> None: ...


class _RootWriter:
    _make: str

    def __init__(self, file: BinaryIO, tree: str, types: Types) -> None:
        import uproot

        self._root = uproot.recreate(file, compression=uproot.ZSTD(5))
        self._tree = getattr(self._root, self._make)(tree, dict(types))

    def write(self, columns: Columns) -> None:
        self._tree.extend(columns)

    def close(self) -> None:
        self._root.close()


class _TTreeWriter(_RootWriter):
    _make = "mktree"


class _RNTupleWriter(_RootWriter):
    _make = "mkrntuple"


class _ParquetWriter:
    def __init__(self, file: BinaryIO, tree: str, types: Types) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        fields = [(name, pa.from_numpy_dtype(dtype)) for name, dtype in types.items()]
        self._schema = pa.schema(fields)
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, columns: Columns) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.table(dict(columns), schema=self._schema))

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


def storable_types(columns: Columns, format: str) -> dict[str, np.dtype[Any]]:
    """Return the types of the columns; raises RunError where the format cannot hold one."""
    if not columns:
        raise RunError("a snapshot needs at least one column.")
    for name, column in columns.items():
        if column.dtype.name not in _TYPES:
            raise RunError(f"column {name!r} of type {column.dtype} cannot be written to a file.")
        if format == "rntuple" and _NOT_IN_RNTUPLE.intersection(name):
            raise RunError(f"column {name!r}: an RNTuple allows no dot, slash or space in a name.")
    return {name: np.dtype(column.dtype.name) for name, column in columns.items()}


def require_pyarrow() -> None:
    """Raise RunError where Parquet cannot be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise RunError(
            "writing Parquet needs pyarrow: run pip install 'flavorframe[parquet]'."
        ) from None
