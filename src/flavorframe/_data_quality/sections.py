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
from typing import Any

import numpy as np

from flavorframe._data_quality.brilcalc import luminosity_of
from flavorframe._expr.lumi_tables import Section

Ranges = tuple[tuple[int, int], ...]
"""The first and the last section of each range, in rising order."""


@dataclass(frozen=True, repr=False)
class LumiSections(Mapping[int, Ranges]):
    """Lumi sections: for each run the ranges of those that follow each other.

    Two of them add up to all that are in one of the two.

    Attributes:
        sections: The run, first and last section of each range, in rising order.

    Example:
        >>> read = LumiSections.of([(297050, 1, 12), (297050, 13, 20), (297056, 5, 5)])
        >>> read
        21 lumi sections in 2 runs, from 297050 to 297056
        >>> read[297050], 297057 in read
        (((1, 20),), False)
    """

    sections: tuple[Section, ...] = ()

    @classmethod
    def of(cls, sections: Iterable[Section]) -> LumiSections:
        """Return the sections of ranges in any order, which may overlap."""
        merged: list[list[int]] = []
        for run, first, last in sorted(sections):
            if merged and merged[-1][0] == run and first <= merged[-1][2] + 1:
                merged[-1][2] = max(merged[-1][2], last)
            else:
                merged.append([run, first, last])
        return cls(tuple((run, first, last) for run, first, last in merged))

    @classmethod
    def of_events(cls, runs: np.ndarray[Any, Any], blocks: np.ndarray[Any, Any]) -> LumiSections:
        """Return the sections that events are in, given the run and section of each."""
        pairs = np.unique(np.stack([runs, blocks], axis=1).astype(np.int64), axis=0)
        return cls.of((run, block, block) for run, block in pairs.tolist())

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

    def __add__(self, other: LumiSections) -> LumiSections:
        return LumiSections.of((*self.sections, *other.sections))

    @property
    def count(self) -> int:
        """How many sections there are."""
        return sum(last - first + 1 for _, first, last in self.sections)

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
        if not self.sections:
            return "no lumi sections"
        runs, found = list(self), f"{self.count} lumi section{'s' if self.count > 1 else ''}"
        if len(runs) == 1:
            return f"{found} in run {runs[0]}"
        return f"{found} in {len(runs)} runs, from {runs[0]} to {runs[-1]}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"
