"""Tables of selected candidates in memory."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

from flavorframe._display import as_html, as_text
from flavorframe._snapshots.columns import Arrays, listed, require_equal_lengths, row_count
from flavorframe._snapshots.promotion import joined
from flavorframe._snapshots.writing import SnapshotWriter
from flavorframe.errors import AnalysisError, BranchError, did_you_mean
from flavorframe.result._preview import preview

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, repr=False, eq=False)
class Table:
    """Columns of equal length, one value for each candidate or event.

    ``table["phi_mass"]`` is a numpy array of shape (rows,). The length is the number of rows;
    tables of the same columns add up.

    Args:
        columns: An array of shape (rows,) for each name.

    Raises:
        AnalysisError: Where lengths differ.
        BranchError: For a name that is not there, with the nearest ones.

    Example:
        >>> import numpy as np
        >>> Table({"mass": np.array([1.97, 1.95]), "charge": np.array([1, -1])})
        2 rows × 2 columns
        column  type        0     1
        mass    float64  1.97  1.95
        charge  int64       1    -1
    """

    columns: Arrays

    def __post_init__(self) -> None:
        require_equal_lengths(self.columns)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self.columns:
            near = did_you_mean(str(name), self.columns) or f" It has {listed(self.columns)}."
            raise BranchError(f"the table has no column {name!r}.{near}")
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return row_count(self.columns)

    def __add__(self, other: Table) -> Table:
        """Return the rows of both; raises ``AnalysisError`` when the columns differ."""
        if self.columns.keys() != other.columns.keys():
            raise AnalysisError(
                f"cannot add tables: one has {listed(self.columns)}, "
                f"the other {listed(other.columns)}."
            )
        return Table(joined([self.columns, other.columns]))

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
