"""Prescales of trigger paths, by run and lumi section."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

from flavorframe._data_quality.certified import LUMINOSITY_BLOCK, RUN
from flavorframe._data_quality.texts import text_of
from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr
from flavorframe._expr.lumi_tables import BITS, LumiTable
from flavorframe.errors import DatasetError, did_you_mean

COLUMNS = ("path", "run", "luminosity_block", "prescale")
LAST = (1 << BITS) - 1

Steps = dict[int, dict[int, float]]
"""For each run, from which lumi section on which prescale holds."""


def prescale(trigger: str, table: str | os.PathLike[str]) -> Expr:
    """Return the prescale of a trigger path in the lumi section of an event.

    Args:
        trigger: The path, or a shell pattern such as ``"HLT_DoubleMu3_v*"`` for its versions.
        table: A CSV file with the columns path, run, luminosity_block and prescale. A line holds
            from its lumi section to that of the next line of the same path and run. It is read now,
            and its content goes along with the analysis.

    Returns:
        An expression with one number per event: missing in runs, and before lumi sections, that
        the table does not have for the path.

    Raises:
        FileError: The table cannot be read.
        DatasetError: It is not such a table, or does not have the path.

    Example:
        >>> weight = ff.prescale("HLT_DoubleMu3_v*", "prescales.csv")  # doctest: +SKIP
        >>> selection.weight("prescale", weight)  # doctest: +SKIP
    """
    steps = _steps(trigger, table)
    ranges, values = [], []
    for run, each in sorted(steps.items()):
        begins = sorted(each)
        for first, after in pairwise([*begins, LAST + 1]):
            ranges.append((run, first, after - 1))
            values.append(each[first])
    found = LumiTable.of(f"prescale of {trigger} in {Path(table).name}", ranges, values)
    return Expr(n.LumiLookup(found, RUN, LUMINOSITY_BLOCK))


def _steps(trigger: str, table: str | os.PathLike[str]) -> Steps:
    reader = csv.DictReader(text_of(table, "table of prescales").splitlines())
    absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if absent:
        raise DatasetError(
            f"{table} has no column {absent[0]!r}: a table of prescales begins with the line "
            f"'{','.join(COLUMNS)}'."
        )
    steps: Steps = defaultdict(dict)
    paths: dict[str, None] = {}
    for row in reader:
        paths[row["path"]] = None
        if fnmatchcase(row["path"], trigger):
            run, section, value = _numbers(row, table, reader.line_num)
            if steps[run].setdefault(section, value) != value:
                raise DatasetError(
                    f"{table}, line {reader.line_num}: {trigger} has two prescales from run {run}, "
                    f"lumi section {section} on: {steps[run][section]:g} and {value:g}."
                )
    if not steps:
        raise DatasetError(
            f"{table} has no path {trigger!r}.{did_you_mean(trigger, paths)} It has "
            f"{', '.join(paths) or 'none'}."
        )
    return steps


def _numbers(
    row: dict[str, str], table: str | os.PathLike[str], line: int
) -> tuple[int, int, float]:
    try:
        run, section = int(row["run"]), int(row["luminosity_block"])
        value = float(row["prescale"])
    except (TypeError, ValueError):
        run = section = -1
    if not (0 <= run <= LAST and 0 <= section <= LAST) or not value >= 0:
        raise DatasetError(
            f"{table}, line {line}: run, luminosity_block and prescale should be numbers, zero or "
            f"more, not {row['run']!r}, {row['luminosity_block']!r} and {row['prescale']!r}."
        )
    return run, section, value
