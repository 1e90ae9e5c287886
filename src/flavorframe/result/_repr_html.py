"""Results as HTML for notebooks and reports; classes leave the looks to the page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from flavorframe.result import _repr_text
from flavorframe.result._repr_text import Grid

if TYPE_CHECKING:
    from flavorframe.result.cutflow import Cutflow
    from flavorframe.result.failures import Failures
    from flavorframe.result.table import Table
    from flavorframe.result.timing import Timing


def cutflow(flow: Cutflow) -> str:
    """Return the cutflow with the formula of each cut."""
    return gridded(_repr_text.cutflow_grid(flow, formulas=True), "ff-cutflow")


def failures(all_failures: Failures) -> str:
    """Return every failure with its reason."""
    if not all_failures:
        return '<p class="ff ff-failures">no failures</p>'
    rows = tuple(_repr_text.failure_cells(failure) for failure in all_failures)
    grid = Grid(("file", "events", "reason"), rows, labels=3)
    return gridded(grid, "ff-failures", _repr_text.failures_summary(all_failures))


def timing(time: Timing) -> str:
    """Return the speed of a run, and seconds and share of each stage."""
    rows = tuple(
        (stage, _repr_text.seconds(getattr(time, stage)), f"{100 * share:.0f}")
        for stage, share in time.shares().items()
    )
    grid = Grid(("stage", "seconds", "share [%]"), rows)
    stages = gridded(grid, "ff-timing", _repr_text.timing_summary(time))
    if not time.workers:
        return stages
    return f"{stages}\n{gridded(_repr_text.workers_grid(time), 'ff-workers')}"


def table(columns: Table) -> str:
    """Return the size of a table and its first rows."""
    return gridded(_repr_text.table_grid(columns), "ff-table", _repr_text.table_summary(columns))


def gridded(grid: Grid, style: str, caption: str = "") -> str:
    """Return the cells as a table of class ``style``; cells and caption are escaped."""
    title = [f"<caption>{escape(caption)}</caption>"] if caption else []
    head = "".join(f"<th>{escape(cell)}</th>" for cell in grid.header)
    body = [_row(cells, grid.labels) for cells in grid.rows]
    lines = [f'<table class="ff {style}">', *title, f"<thead><tr>{head}</tr></thead>"]
    return "\n".join([*lines, "<tbody>", *body, "</tbody>", "</table>"])


def _row(cells: tuple[str, ...], labels: int) -> str:
    texts = [f"<td>{escape(cell)}</td>" for cell in cells[:labels]]
    numbers = [f'<td class="number">{escape(cell)}</td>' for cell in cells[labels:]]
    return f"<tr>{''.join([*texts, *numbers])}</tr>"
