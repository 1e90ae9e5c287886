"""Lumi sections: ranges in each run, as golden JSON has them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import groupby
from pathlib import Path

import numpy as np

from flavorframe._data_quality.brilcalc import luminosity_of
from flavorframe._expr.lumi_tables import BITS, Array, Section
from flavorframe.errors import DatasetError

Ranges = tuple[tuple[int, int], ...]
"""The first and the last section of each range, in rising order."""


@dataclass(frozen=True, repr=False, eq=False)
class LumiSections(Mapping[int, Ranges]):
    """Lumi sections: for each run the ranges of those that follow each other.

    Two of them add up to all that are in one of the two.

    Attributes:
        rows: The run, first and last section of each range, of shape (ranges, 3), in rising order.

    Example:
        >>> read = LumiSections.of([(297050, 1, 12), (297050, 13, 20), (297056, 5, 5)])
        >>> read
        21 lumi sections in 2 runs, from 297050 to 297056
        >>> read[297050], 297057 in read
        (((1, 20),), False)
    """

    rows: Array

    @classmethod
    def of(cls, sections: Iterable[Section]) -> LumiSections:
        """Return the sections of ranges in any order, which may overlap."""
        return cls(_merged(np.array(list(sections), np.int64).reshape(-1, 3)))

    @classmethod
    def of_events(cls, runs: Array, blocks: Array) -> LumiSections:
        """Return the sections that events are in, given the run and section of each.

        Raises DatasetError where one is no whole number of 32 bits without a sign.
        """
        for values, what in ((runs, "run"), (blocks, "lumi section")):
            wrong = values[(values < 0) | (values >= 1 << BITS)]
            if len(wrong):
                raise DatasetError(f"{wrong[0]} is no number of a {what}.")
        return cls(_merged(np.stack([runs, blocks, blocks], axis=1).astype(np.int64)))

    @property
    def sections(self) -> tuple[Section, ...]:
        """The run, first and last section of each range, in rising order."""
        return tuple((run, first, last) for run, first, last in self.rows.tolist())

    @cached_property
    def _by_run(self) -> dict[int, Ranges]:
        grouped = groupby(self.sections, key=lambda section: section[0])
        return {run: tuple((first, last) for _, first, last in each) for run, each in grouped}

    def __getitem__(self, run: int) -> Ranges:
        return self._by_run[run]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_run)

    def __len__(self) -> int:
        return len(self._by_run)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LumiSections) and np.array_equal(self.rows, other.rows)

    def __hash__(self) -> int:
        return hash(self.rows.tobytes())

    def __add__(self, other: LumiSections) -> LumiSections:
        return LumiSections(_merged(np.concatenate([self.rows, other.rows])))

    @property
    def count(self) -> int:
        """How many sections there are."""
        return int((self.rows[:, 2] - self.rows[:, 1] + 1).sum())

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the text of a golden JSON, which ``brilcalc lumi -i`` takes.

        Args:
            path: A file to write it to as well.

        Returns:
            The text: an object of runs, each with its ranges ``[first, last]``.

        Example:
            >>> print(LumiSections.of([(297050, 1, 12), (297056, 5, 5)]).to_json())
            {"297050": [[1, 12]],
             "297056": [[5, 5]]}
        """
        lines = (f'"{run}": {json.dumps(list(map(list, self[run])))}' for run in self)
        text = "{" + ",\n ".join(lines) + "}"
        if path is not None:
            Path(path).write_text(f"{text}\n", encoding="utf-8")
        return text

    def luminosity(self, path: str | os.PathLike[str], *, recorded: bool = True) -> float:
        """Return the luminosity of the sections, of a table by section that brilcalc has written.

        The table is what ``brilcalc lumi --byls -i sections.json -o table.csv`` writes, with any
        unit.

        Args:
            path: The table.
            recorded: Of what was recorded; else of what was delivered.

        Returns:
            The luminosity [fb⁻¹].

        Raises:
            FileError: The table cannot be read.
            DatasetError: It is not such a table, or has no luminosity for some of the sections.
        """
        return luminosity_of(self.sections, path, recorded=recorded)

    def __repr__(self) -> str:
        if not len(self.rows):
            return "no lumi sections"
        runs, found = list(self), f"{self.count} lumi section{'s' if self.count > 1 else ''}"
        if len(runs) == 1:
            return f"{found} in run {runs[0]}"
        return f"{found} in {len(runs)} runs, from {runs[0]} to {runs[-1]}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"


def _merged(rows: Array) -> Array:
    """Return ranges in rising order, those that overlap or follow each other as one."""
    if not len(rows):
        return rows
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    runs = rows[:, 0].astype(np.uint64) << np.uint64(BITS)
    first, last = (runs | rows[:, i].astype(np.uint64) for i in (1, 2))
    reached = np.maximum.accumulate(last)  # that of another run is always higher
    begins = np.ones(len(rows), bool)
    begins[1:] = (first[1:] > reached[:-1] + np.uint64(1)) | (runs[1:] != runs[:-1])
    start = np.flatnonzero(begins)
    ends = reached[np.append(start[1:], len(rows)) - 1] & np.uint64((1 << BITS) - 1)
    return np.stack([rows[start, 0], rows[start, 1], ends.astype(np.int64)], axis=1)
