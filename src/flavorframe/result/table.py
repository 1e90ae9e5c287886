"""Tables of selected candidates, in memory or on their way to a file."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, Literal, Protocol

import numpy as np
import numpy.typing as npt

from flavorframe._display import as_html, as_text
from flavorframe._files.file_sets import FileSet
from flavorframe._files.writing import what_else, writing
from flavorframe._snapshots.promotion import cast, common_type, concatenated
from flavorframe._snapshots.reading import reader_of
from flavorframe.errors import AnalysisError, BranchError, RunError, did_you_mean
from flavorframe.result._preview import preview

Columns = Mapping[str, npt.NDArray[Any]]
PathLike = str | os.PathLike[str]

_FORMATS = ("ttree", "rntuple", "parquet")
_FORMAT_OF_SUFFIX = {".root": "ttree", ".parquet": "parquet"}
_TYPES = {"bool", "float32", "float64"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
# ROOT refuses these in the names of an RNTuple's fields (EnsureValidNameForRNTuple).
_NOT_IN_RNTUPLE = frozenset("./\\ ")
# Rows written at once: enough that baskets, clusters and row groups are not tiny.
_BLOCK = 65_536


@dataclass(frozen=True, repr=False, eq=False)
class Table:
    """Columns of equal length, one value for each candidate or event.

    ``table["phi_mass"]`` is a numpy array of shape (rows,); an unknown name raises ``BranchError``
    with the nearest ones. The length is the number of rows; tables of the same columns add up.
    Raises ``AnalysisError`` when lengths differ.

    >>> Table({"mass": np.array([1.97, 1.95]), "charge": np.array([1, -1])})
    2 rows × 2 columns
    column  type        0     1
    mass    float64  1.97  1.95
    charge  int64       1    -1
    """

    columns: Columns

    def __post_init__(self) -> None:
        _require_equal_lengths(self.columns)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self.columns:
            near = did_you_mean(str(name), self.columns) or f" It has {_listed(self.columns)}."
            raise BranchError(f"the table has no column {name!r}.{near}")
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return _rows(self.columns)

    def __add__(self, other: Table) -> Table:
        """Return the rows of both; raises ``AnalysisError`` when the columns differ."""
        if self.columns.keys() != other.columns.keys():
            raise AnalysisError(
                f"cannot add tables: one has {_listed(self.columns)}, "
                f"the other {_listed(other.columns)}."
            )
        return Table({name: concatenated(name, [self[name], other[name]]) for name in self})

    def to_numpy(self) -> dict[str, npt.NDArray[Any]]:
        """Return a dictionary of the arrays, which are not copied."""
        return dict(self.columns)

    def to_root(
        self,
        path: PathLike,
        *,
        tree: str = "candidates",
        format: Literal["ttree", "rntuple"] = "ttree",
    ) -> pathlib.Path:
        """Write one tree to a ROOT file and return its path; errors as ``SnapshotWriter``."""
        return self._written(SnapshotWriter(path, format=format, tree=tree))

    def to_parquet(self, path: PathLike) -> pathlib.Path:
        """Write a Parquet file and return its path; errors as ``SnapshotWriter``."""
        return self._written(SnapshotWriter(path, format="parquet"))

    def _written(self, writer: SnapshotWriter) -> pathlib.Path:
        with writer:
            writer.write(self.columns)
        return writer.path

    def __repr__(self) -> str:
        return as_text(preview(self.columns))

    def _repr_html_(self) -> str:
        return as_html(preview(self.columns))


class SnapshotWriter:
    """Write chunks of columns to one file, whole or not at all.

    ``format`` is "ttree", "rntuple" or "parquet", by default what the suffix says (``.root``:
    ttree). Rows gather until there are enough to write well, so memory is bounded by a chunk. They
    go to a hidden file beside ``path``, which takes its name when the ``with`` block ends and is
    removed when that fails; with ``files``, a `FileSet`, it is left to that. ``rows`` counts what
    was written. The first chunk, which may have no rows, sets names and types of the columns:
    booleans, integers, and floats of 32 or 64 bits. Where a type is wider later, the rows so far
    are written anew: a type holds the values of all chunks, whichever came first.

    Raises ``AnalysisError`` for an unknown format. Raises ``RunError`` when the folder cannot be
    written to, when ``path`` is a folder or (with ``overwrite=False``) exists, when a chunk has
    other columns than the first, when no chunk came, and for Parquet without ``pyarrow``; of these
    ``OutputError`` for what the system refuses, and for a number that no common type holds.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with folder, SnapshotWriter(f"{folder.name}/candidates.root") as writer:
    ...     writer.write({"mass": np.array([1.97, 1.95])})
    ...     writer.write({"mass": np.array([1.96])})
    >>> writer.rows
    3
    """

    def __init__(
        self,
        path: PathLike,
        *,
        format: str | None = None,
        tree: str = "candidates",
        overwrite: bool = True,
        files: FileSet | None = None,
    ) -> None:
        self.path = pathlib.Path(path).expanduser()
        self._files = FileSet() if files is None else files
        self._alone = files is None
        self.rows = 0
        self._format = _format(self.path, format)
        self._tree = tree
        self._overwrite = overwrite
        self._entered = False
        self._sink: _Sink | None = None
        self._types: dict[str, np.dtype[Any]] = {}
        self._gathered: list[Columns] = []
        self._gathered_rows = 0

    def __enter__(self) -> SnapshotWriter:
        if self._format == "parquet":
            _require_pyarrow()
        _require_free(self.path, self._overwrite)
        self._open()
        self._entered = True
        return self

    def _open(self) -> None:
        self.hidden = self._files.new(self.path)
        with writing(self.path):
            self._file: BinaryIO = open(self.hidden, "w+b")  # noqa: SIM115 - closed by finish

    def write(self, columns: Columns) -> None:
        """Add the rows of a chunk, a dictionary of arrays of shape (rows,)."""
        if not self._entered:
            raise RunError(f"cannot write {self.path}: use its writer in a with block.")
        _require_equal_lengths(columns)
        types = self._promoted(_storable_types(columns, self._format))
        if types != self._types:
            self._change(types)
        self._gathered.append(_as_types(columns, self._types))
        self._gathered_rows += _rows(columns)
        if self._gathered_rows >= _BLOCK:
            self._write_gathered(self._gathered_rows // _BLOCK * _BLOCK)

    def _promoted(self, types: dict[str, np.dtype[Any]]) -> dict[str, np.dtype[Any]]:
        """Return the types that hold both what was written and what comes."""
        if self._sink is None:
            return types
        if types.keys() != self._types.keys():
            raise RunError(
                f"a chunk has {_listed(types)}, but the first had {_listed(self._types)}."
            )
        return {name: common_type(kind, types[name]) for name, kind in self._types.items()}

    def _change(self, types: dict[str, np.dtype[Any]]) -> None:
        """Begin a file of those types, with the rows of the one before in it."""
        self._gathered = [_as_types(chunk, types) for chunk in self._gathered]
        self._types = types
        if self._sink is None:
            self._start()
            return
        earlier = self.hidden
        try:
            with writing(self.path):
                self._sink.close()
                self._file.close()
            self._open()
            self._start()
            self._write_earlier(earlier)
        finally:
            self._files.drop(earlier)

    def _start(self) -> None:
        with writing(self.path):
            self._sink = _SINKS[self._format](self._file, self._tree, self._types)

    def _write_earlier(self, hidden: pathlib.Path) -> None:
        read = reader_of(self._format)
        for start in range(0, self.rows, _BLOCK):
            with writing(self.path):
                chunk = read(hidden, self._tree, start, min(start + _BLOCK, self.rows))
                self._open_sink.write(_as_types(chunk, self._types))

    def _write_gathered(self, count: int) -> None:
        """Write the first ``count`` of the gathered rows in blocks, and keep the others."""
        columns = {
            name: np.concatenate([chunk[name] for chunk in self._gathered]) for name in self._types
        }
        with writing(self.path):
            for start in range(0, count, _BLOCK):
                stop = min(start + _BLOCK, count)
                self._open_sink.write({name: x[start:stop] for name, x in columns.items()})
        self._gathered = [{name: x[count:].copy() for name, x in columns.items()}]
        self._gathered_rows -= count
        self.rows += count

    @property
    def has_columns(self) -> bool:
        """Whether a chunk has come, and with it names and types of the columns."""
        return self._sink is not None

    @property
    def _open_sink(self) -> _Sink:
        if self._sink is None:
            raise RunError(f"cannot write {self.path}: no chunk came, so its columns are unknown.")
        return self._sink

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.finish()
                if self._alone:
                    self._files.commit()
        except BaseException:
            self._discard()
            raise
        if kind is not None:
            self._discard()

    def finish(self) -> None:
        """Write what is left, so that the hidden file is whole."""
        sink = self._open_sink
        self._write_gathered(self._gathered_rows)
        with writing(self.path):
            sink.close()
            self._file.close()
        self._entered = False

    def _discard(self) -> None:
        """Remove the hidden file."""
        self._entered = False
        # What is thrown away may be broken already, and the first error is the one to tell.
        with contextlib.suppress(Exception):
            self._open_sink.close()
        with contextlib.suppress(OSError):
            self._file.close()
        self._files.drop(self.hidden)


# Formats


class _Sink(Protocol):
    def __init__(self, file: BinaryIO, tree: str, types: Mapping[str, np.dtype[Any]]) -> None: ...
    def write(self, columns: Columns) -> None: ...
    def close(self) -> None: ...


class _RootSink:
    _make: str

    def __init__(self, file: BinaryIO, tree: str, types: Mapping[str, np.dtype[Any]]) -> None:
        import uproot

        self._root = uproot.recreate(file, compression=uproot.ZSTD(5))
        self._tree = getattr(self._root, self._make)(tree, dict(types))

    def write(self, columns: Columns) -> None:
        self._tree.extend(columns)

    def close(self) -> None:
        self._root.close()


class _TTreeSink(_RootSink):
    _make = "mktree"


class _RNTupleSink(_RootSink):
    _make = "mkrntuple"


class _ParquetSink:
    def __init__(self, file: BinaryIO, tree: str, types: Mapping[str, np.dtype[Any]]) -> None:
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


_SINKS: dict[str, type[_Sink]] = {
    "ttree": _TTreeSink,
    "rntuple": _RNTupleSink,
    "parquet": _ParquetSink,
}


def _format(path: pathlib.Path, format: str | None) -> str:
    if format is None and path.suffix not in _FORMAT_OF_SUFFIX:
        raise AnalysisError(
            f"{path}: no format goes with this suffix; use .root, .parquet or format=."
        )
    chosen = format or _FORMAT_OF_SUFFIX[path.suffix]
    if chosen not in _FORMATS:
        near = did_you_mean(chosen, _FORMATS) or f" Choose one of {_listed(_FORMATS)}."
        raise AnalysisError(f"{path}: unknown format {chosen!r}.{near}")
    return chosen


# Checks


def _require_pyarrow() -> None:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise RunError(
            "writing Parquet needs pyarrow: run pip install 'flavorframe[parquet]'."
        ) from None


def _require_free(path: pathlib.Path, overwrite: bool) -> None:
    other = what_else(path)
    if other is not None:
        raise RunError(f"cannot write {path}: it is {other}.")
    if not path.parent.is_dir():
        raise RunError(f"cannot write {path}: {path.parent} is not a folder.")
    if path.exists() and not overwrite:
        raise RunError(f"cannot write {path}: it exists, and overwrite is False.")


def _require_equal_lengths(columns: Columns) -> None:
    for name, column in columns.items():
        if column.ndim != 1:
            raise AnalysisError(f"column {name!r} has shape {column.shape}; it should be (rows,).")
        if len(column) != _rows(columns):
            first = next(iter(columns))
            raise AnalysisError(
                f"columns differ in length: {first!r} has {_rows(columns)} rows, "
                f"{name!r} has {len(column)}."
            )


def _storable_types(columns: Columns, format: str) -> dict[str, np.dtype[Any]]:
    if not columns:
        raise RunError("a snapshot needs at least one column.")
    for name, column in columns.items():
        if column.dtype.name not in _TYPES:
            raise RunError(f"column {name!r} of type {column.dtype} cannot be written to a file.")
        if format == "rntuple" and _NOT_IN_RNTUPLE.intersection(name):
            raise RunError(f"column {name!r}: an RNTuple allows no dot, slash or space in a name.")
    return {name: np.dtype(column.dtype.name) for name, column in columns.items()}


def _as_types(columns: Columns, types: Mapping[str, np.dtype[Any]]) -> Columns:
    # A copy, because the rows wait here while the caller may reuse its arrays.
    return {name: cast(name, column, types[name]) for name, column in columns.items()}


def _rows(columns: Columns) -> int:
    return len(next(iter(columns.values()), ()))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "no columns"
