"""Results as text for a terminal, and the cells that text and HTML have in common."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flavorframe._expr.texts import shortened

if TYPE_CHECKING:
    from flavorframe.result.cutflow import Cutflow, CutRow, Efficiency
    from flavorframe.result.failures import Failure, Failures
    from flavorframe.result.table import Table
    from flavorframe.result.timing import Timing

UNDEFINED = "–"
_FEW_ROWS = 5
_FEW_FAILURES = 10
_FEW_WORKERS = 8
_MOST_DECIMALS = 8


@dataclass(frozen=True)
class Grid:
    """The cells of a table; the first ``labels`` columns are text and the others are numbers."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: int = 1


def cutflow(flow: Cutflow) -> str:
    """Return the cutflow as an aligned table."""
    return aligned(cutflow_grid(flow))


def failures(all_failures: Failures) -> str:
    """Return how many files failed, and a line for each of the first failures."""
    if not all_failures:
        return "no failures"
    lines = [f"  {_failure_line(failure)}" for failure in all_failures.items[:_FEW_FAILURES]]
    more = len(all_failures) - len(lines)
    lines += [f"  … and {more:,} more"] if more else []
    return "\n".join([f"{failures_summary(all_failures)}:", *lines])


def timing(time: Timing) -> str:
    """Return the speed of a run and the share of each stage."""
    shares = ", ".join(f"{name} {100 * x:.0f} %" for name, x in time.shares().items() if x)
    lines = [timing_summary(time), *([f"  {shares}"] if shares else [])]
    if time.workers:
        table = aligned(workers_grid(time, most=_FEW_WORKERS)).splitlines()
        lines += [f"  {line}" for line in table]
    return "\n".join(lines)


def workers_grid(time: Timing, *, most: int | None = None) -> Grid:
    """Return a row for each worker, the slowest last, with the share of each stage; or some."""
    stages = time.shares()
    header = ("worker", "events", "events/s", "MB/s", *(f"{stage} %" for stage in stages))
    ordered = sorted(time.workers.items(), key=lambda item: -item[1].events_per_second)
    rows = [_worker_cells(name, worker) for name, worker in ordered]
    if most is not None and len(rows) > most:
        left_out = len(rows) - most
        rows = [*rows[:most], (f"… and {left_out} more", *[""] * (len(header) - 1))]
    return Grid(header, tuple(rows))


def _worker_cells(name: str, worker: Timing) -> tuple[str, ...]:
    speed = (f"{worker.events_per_second:,.0f}", f"{worker.megabytes_per_second:,.1f}")
    shares = (f"{100 * share:.0f}" for share in worker.shares().values())
    return (name, f"{worker.events:,}", *speed, *shares)


def table(columns: Table) -> str:
    """Return the size of a table and its first rows, a line for each column."""
    return f"{table_summary(columns)}\n{aligned(table_grid(columns))}"


def aligned(grid: Grid) -> str:
    """Return the cells in columns, text to the left and numbers to the right."""
    lines = [grid.header, *grid.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_aligned_line(line, widths, grid.labels) for line in lines)


def _aligned_line(cells: tuple[str, ...], widths: list[int], labels: int) -> str:
    texts = [cell.ljust(width) for cell, width in zip(cells[:labels], widths, strict=False)]
    numbers = zip(cells[labels:], widths[labels:], strict=True)
    return "  ".join([*texts, *(cell.rjust(width) for cell, width in numbers)]).rstrip()


# Cells and summaries, shared with the HTML


def cutflow_grid(flow: Cutflow, *, formulas: bool = False) -> Grid:
    """Return a row for each cut; columns of weights only when the cutflow has weights."""
    header = ["cut", *(["formula"] if formulas else []), "events", "candidates"]
    header += ["rel. eff [%]", "cum. eff [%]"]
    header += ["Σw events", "Σw candidates", "cum. eff of Σw [%]"] if flow.weighted else []
    rows = tuple(tuple(_cut_cells(flow, i, formulas)) for i in range(len(flow)))
    return Grid(tuple(header), rows, labels=2 if formulas else 1)


def _cut_cells(flow: Cutflow, i: int, formulas: bool) -> Iterator[str]:
    row = flow[i]
    yield row.name
    if formulas:
        yield shortened(row.formula)
    yield f"{row.events:,}"
    yield f"{row.candidates:,}"
    yield _percent(flow.relative(i)) if i else ""
    yield _percent_with_interval(flow.cumulative(i)) if i else ""
    if flow.weighted:
        yield from _weight_cells(row)
        yield _percent_with_interval(flow.cumulative(i, "weights")) if i else ""


def _weight_cells(row: CutRow) -> Iterator[str]:
    for sum_of_weights in (row.sumw_events, row.sumw_candidates):
        yield UNDEFINED if sum_of_weights is None else f"{sum_of_weights:,.6g}"


def _percent(efficiency: Efficiency) -> str:
    if math.isnan(efficiency.value):
        return UNDEFINED
    return f"{100 * efficiency.value:.{_decimals(efficiency)}f}"


def _percent_with_interval(efficiency: Efficiency) -> str:
    if math.isnan(efficiency.value):
        return UNDEFINED
    down, up = efficiency.value - efficiency.low, efficiency.high - efficiency.value
    digits = _decimals(efficiency)
    return f"{_percent(efficiency)} −{100 * down:.{digits}f} +{100 * up:.{digits}f}"


def _decimals(efficiency: Efficiency) -> int:
    """Return the decimals of a percentage that show two digits of its uncertainty."""
    width = 50 * (efficiency.high - efficiency.low)
    if not (math.isfinite(width) and width > 0):
        return 1
    return min(max(0, 1 - math.floor(math.log10(width))), _MOST_DECIMALS)


def failures_summary(all_failures: Failures) -> str:
    """Return how many files failed and how many events are lost."""
    failed, files = len(all_failures.failed_files), all_failures.files
    of = f" of {files:,}" if files else ""
    noun = f"file{_plural(files or failed)}"
    return f"{failed:,}{of} {noun} could not be read{_events_lost(all_failures)}"


def _events_lost(all_failures: Failures) -> str:
    if not all_failures.events_lost:
        return ""
    unknown = any(failure.events is None for failure in all_failures)
    least = "at least " if unknown else ""
    return f", {least}{all_failures.events_lost:,} events lost"


def failure_cells(failure: Failure) -> tuple[str, str, str]:
    """Return the file, the range of events that failed and why."""
    details = [failure.kind] if failure.kind != "FileError" else []
    details += [f"{failure.attempts} attempts"] if failure.attempts > 1 else []
    details += [f"on {failure.worker}"] if failure.worker else []
    events = "" if failure.events is None else f"{failure.start} to {failure.stop}"
    more = f" ({', '.join(details)})" if details else ""
    return failure.file, events, f"{failure.reason}{more}"


def _failure_line(failure: Failure) -> str:
    file, events, reason = failure_cells(failure)
    return f"{file}, events {events}: {reason}" if events else f"{file}: {reason}"


def timing_summary(time: Timing) -> str:
    """Return wall time, events and bytes, and their rates where there is a wall time."""
    threads = f"{time.threads} thread{_plural(time.threads)}"
    rates = (
        f", {time.events_per_second:,.0f} events/s",
        f", {time.megabytes_per_second:,.1f} MB/s",
    )
    per_event, per_byte = rates if time.wall else ("", "")
    read = f"{time.bytes_read / 1e6:,.1f} MB read{per_byte}"
    return f"{seconds(time.wall)} s on {threads}: {time.events:,} events{per_event}, {read}"


def seconds(time: float) -> str:
    """Return a time with three digits, or all of them from 100 s on."""
    return f"{time:,.0f}" if time >= 100 else f"{time:.3g}"


def table_summary(columns: Table) -> str:
    """Return the numbers of rows and columns."""
    rows, count = len(columns), len(columns.columns)
    return f"{rows:,} row{_plural(rows)} × {count:,} column{_plural(count)}"


def table_grid(columns: Table) -> Grid:
    """Return a line for each column: name, type and the first values."""
    shown = min(len(columns), _FEW_ROWS)
    more = ("…",) if len(columns) > shown else ()
    header = ("column", "type", *map(str, range(shown)), *more)
    rows = tuple(
        (name, str(values.dtype), *(_value(value) for value in values[:shown].tolist()), *more)
        for name, values in columns.columns.items()
    )
    return Grid(header, rows, labels=2)


def _plural(count: int) -> str:
    return "" if count == 1 else "s"


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
