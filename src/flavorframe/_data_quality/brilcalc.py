"""Luminosity by lumi section, as CMS's brilcalc writes it."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Sequence

from flavorframe._data_quality.texts import text_of
from flavorframe._expr.lumi_tables import Section
from flavorframe.errors import DatasetError

PER_FEMTOBARN = {
    "/b": 1e-15, "/mb": 1e-12, "/ub": 1e-9, "/nb": 1e-6, "/pb": 1e-3, "/fb": 1.0, "/ab": 1e3,
}  # fmt: skip
"""What an inverse of each unit is in fb⁻¹."""
NAMED = 5
"""How many sections a message names."""
HEADER = (
    "a table by section begins with '#run:fill,ls,time,…,delivered(/ub),recorded(/ub),…', as "
    "'brilcalc lumi --byls -o table.csv' writes it"
)


def luminosity_of(
    sections: Iterable[Section], path: str | os.PathLike[str], *, recorded: bool
) -> float:
    """Return the luminosity of lumi sections [fb⁻¹] by a table; see `LumiSections.luminosity`."""
    known = _by_section(path, "recorded" if recorded else "delivered")
    total, missing = 0.0, list[str]()
    for run, first, last in sections:
        for section in range(first, last + 1):
            found = known.get((run, section))
            if found is None:
                missing.append(f"{run}:{section}")
            else:
                total += found
    if missing:
        raise DatasetError(
            f"{path} has no luminosity for {len(missing)} of the lumi sections (run:section): "
            f"{', '.join(missing[:NAMED])}{', …' if len(missing) > NAMED else ''}. Give brilcalc "
            "the sections that were read, from .to_json(path), or cut on ff.certified(...) first."
        )
    return total


def _by_section(path: str | os.PathLike[str], which: str) -> dict[tuple[int, int], float]:
    rows = csv.reader(text_of(path, "table of brilcalc").splitlines())
    header: list[str] = next((row for row in rows if _is_header(row)), [])
    if not header:
        raise DatasetError(f"{path} is no table of brilcalc by lumi section: {HEADER}.")
    column, scale = _column(header, which, path)
    found: dict[tuple[int, int], float] = {}
    for line, run, section, value in _values(rows, column, path):
        if (run, section) in found:
            raise DatasetError(f"{path}, {line}: lumi section {run}:{section} is listed twice.")
        found[run, section] = value * scale
    return found


def _is_header(row: Sequence[str]) -> bool:
    return len(row) > 1 and row[0].lstrip("# ").startswith("run") and row[1].strip() == "ls"


def _column(header: Sequence[str], which: str, path: str | os.PathLike[str]) -> tuple[int, float]:
    """Return the column of a luminosity, and what its unit is in fb⁻¹."""
    for number, title in enumerate(header):
        fits = re.fullmatch(rf"{which}\((/\w+)\)", title.strip())
        if fits and fits[1] in PER_FEMTOBARN:
            return number, PER_FEMTOBARN[fits[1]]
    raise DatasetError(
        f"{path} has no column '{which}(unit)' with a unit among {', '.join(PER_FEMTOBARN)}: "
        f"{HEADER}."
    )


def _values(
    rows: Iterable[list[str]], column: int, path: str | os.PathLike[str]
) -> Iterator[tuple[str, int, int, float]]:
    for row in rows:
        if not row or row[0].lstrip().startswith("#"):  # the summary at the end
            continue
        line = ",".join(row)
        try:
            run, section = int(row[0].split(":")[0]), int(row[1].split(":")[0])
            yield repr(line), run, section, float(row[column])
        except (ValueError, IndexError):
            raise DatasetError(f"{path}: cannot understand the line {line!r}; {HEADER}.") from None
