"""Models, fits and toy studies as HTML, for notebooks and reports."""

from __future__ import annotations

from html import escape

from flavorframe.fit import _tables
from flavorframe.fit._repr_text import SHOWN_FAILURES
from flavorframe.fit.model import MassModel
from flavorframe.fit.result import FitResult
from flavorframe.fit.toys import ToyStudy

_ALARM = "color: #fff; background: #bd1f01; padding: 0.2em 0.5em; font-weight: bold"
_PROBLEM = "color: #bd1f01"


def model_html(model: MassModel) -> str:
    """Return a mass model's components and parameters."""
    low, high = model.range
    return _block(
        _paragraph(f"MassModel on {low:g}–{high:g} GeV", "font-weight: bold"),
        _table(_tables.component_table(model)),
        _table(_tables.start_table(model)),
    )


def fit_html(fit: FitResult) -> str:
    """Return a fit's numbers; one that is not valid begins with an alarm and the reasons."""
    alarm = [] if fit.valid else [_paragraph("NOT VALID: do not use these numbers", _ALARM)]
    return _block(
        _paragraph(_tables.title(fit), "font-weight: bold"),
        *alarm,
        *(_paragraph(problem, _PROBLEM) for problem in fit.problems),
        _paragraph(_tables.quality(fit)),
        _table(_tables.fitted_table(fit)),
    )


def toys_html(study: ToyStudy) -> str:
    """Return a toy study's valid fraction, pulls, and why fits failed."""
    valid = study.count - len(study.failures)
    return _block(
        _paragraph(f"{valid} of {study.count} fits valid", "font-weight: bold"),
        *(_paragraph(reason, _PROBLEM) for reason in study.failures[:SHOWN_FAILURES]),
        _table(_tables.pull_table(study)),
    )


def _block(*parts: str) -> str:
    return f'<div class="flavorframe-fit">{"".join(parts)}</div>'


def _paragraph(text: str, style: str = "") -> str:
    return f'<p style="margin: 0.3em 0; {style}">{escape(text)}</p>'


def _table(rows: list[_tables.Row]) -> str:
    header, *body = rows
    return (
        f"<table><thead>{_row(header, 'th')}</thead>"
        f"<tbody>{''.join(_row(row, 'td') for row in body)}</tbody></table>"
    )


def _row(cells: _tables.Row, tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
