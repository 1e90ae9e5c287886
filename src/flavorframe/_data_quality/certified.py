"""Golden JSON: the lumi sections in which a detector worked as it should."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flavorframe._data_quality.sections import LumiSections
from flavorframe._data_quality.texts import text_of
from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr
from flavorframe._expr.lumi_tables import BITS, LumiTable, Section
from flavorframe._expr.samples import is_simulation
from flavorframe.errors import DatasetError

RUN = n.Field(n.EVENT, ("run",))
LUMINOSITY_BLOCK = n.Field(n.EVENT, ("luminosity_block",))
SHAPE = 'it should be an object of runs with ranges of lumi sections: {"297050": [[1, 12], …], …}'


def certified(path: str | os.PathLike[str]) -> Expr:
    """Return whether an event is of a certified lumi section, by a golden JSON file.

    The file is read now, and its content goes along with the analysis. Simulation has no runs to be
    certified: all of its events pass.

    Args:
        path: The file: for each run the ranges of lumi sections, both ends included, in any order.
            It may be gzipped.

    Returns:
        A condition with one truth value per event.

    Raises:
        FileError: The file cannot be read.
        DatasetError: It is not a golden JSON; the text says where.

    Example:
        >>> good = ff.certified("Cert_2017_GoldenJSON.txt")  # doctest: +SKIP
        >>> ff.Selection(events).cut("certified", good)  # doctest: +SKIP
    """
    sections = read_sections(path).sections
    if not sections:
        raise DatasetError(f"{path} certifies no lumi section: {SHAPE}.")
    table = LumiTable.of(f"certified by {Path(path).name}", sections)
    return is_simulation | Expr(n.LumiLookup(table, RUN, LUMINOSITY_BLOCK))


def read_sections(path: str | os.PathLike[str]) -> LumiSections:
    """Return the lumi sections of a golden JSON.

    Raises FileError where it cannot be read, DatasetError where it is none.
    """
    text = text_of(path, "golden JSON")
    try:  # a run that comes twice has the ranges of both
        runs = json.loads(text, object_pairs_hook=list)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DatasetError(f"{path} is not valid JSON at {place}: {error.msg}.") from None
    if not isinstance(runs, list) or not text.lstrip().startswith("{"):
        raise DatasetError(f"{path} is no golden JSON: {SHAPE}.")
    return LumiSections.of(
        section for run, ranges in runs for section in _sections(run, ranges, path)
    )


def _sections(run: str, ranges: Any, path: str | os.PathLike[str]) -> Iterator[Section]:
    if not run.isascii() or not run.isdigit() or int(run) >> BITS:
        raise DatasetError(f"{path}: {run!r} is no number of a run: {SHAPE}.")
    if not isinstance(ranges, list):
        raise DatasetError(f"{path}, run {run}: {ranges!r} are no ranges: {SHAPE}.")
    for each in ranges:
        if not _is_range(each):
            raise DatasetError(
                f"{path}, run {run}: {each!r} is no range of lumi sections, [first, last]."
            )
        yield int(run), each[0], each[1]


def _is_range(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    whole = all(isinstance(end, int) and not isinstance(end, bool) for end in value)
    return whole and 0 <= value[0] <= value[1] < 1 << BITS
