"""Models, fits and toy studies as text, for the terminal."""

from __future__ import annotations

from flavorframe.fit import _tables
from flavorframe.fit.model import MassModel
from flavorframe.fit.result import FitResult
from flavorframe.fit.toys import ToyStudy

#: How many of a toy study's failed fits are explained.
SHOWN_FAILURES = 3


def model_text(model: MassModel) -> str:
    """Return a mass model's components and parameters."""
    low, high = model.range
    heading = f"MassModel on {low:g}–{high:g} GeV"
    return _joined(
        heading, _aligned(_tables.component_table(model)), _aligned(_tables.start_table(model))
    )


def fit_text(fit: FitResult) -> str:
    """Return a fit's numbers; one that is not valid begins with the reasons."""
    verdict = "valid" if fit.valid else "NOT VALID, do not use these numbers"
    problems = [f"  ✗ {problem}" for problem in fit.problems]
    heading = "\n".join([f"{_tables.title(fit)}: {verdict}", *problems])
    return _joined(heading, _tables.quality(fit), _aligned(_tables.fitted_table(fit)))


def toys_text(study: ToyStudy) -> str:
    """Return a toy study's valid fraction, pulls, and why fits failed."""
    heading = (
        f"ToyStudy: {study.count - len(study.failures)} of {study.count} fits valid "
        f"({study.valid_fraction:.1%})"
    )
    reasons = [f"  ✗ {reason}" for reason in study.failures[:SHOWN_FAILURES]]
    return _joined("\n".join([heading, *reasons]), _aligned(_tables.pull_table(study)))


def _joined(*blocks: str) -> str:
    return "\n\n".join(blocks)


def _aligned(rows: list[_tables.Row]) -> str:
    columns = zip(*rows, strict=True)
    widths = [max(len(cell) for cell in column) for column in columns]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)
