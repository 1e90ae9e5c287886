"""The tables of a report.

A new table is a function here, a key in ``page._content``, and a place in ``page.html.j2``. A new
column is a cell in the function of its table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from flavorframe._data_quality.generated import Generated
from flavorframe._data_quality.tallies import TALLIED
from flavorframe._display import UNDEFINED, Grid
from flavorframe._display.numbers import seconds
from flavorframe._expr.formula import brief
from flavorframe._expr.texts import shortened
from flavorframe._files.json_numbers import decoded
from flavorframe.averages import Declared
from flavorframe.outputs import Histogram, Snapshot
from flavorframe.report.inputs import Inputs, holds_weights
from flavorframe.report.views import View, views
from flavorframe.report.yields import Measured
from flavorframe.result import Mean, Table, WrittenSnapshot
from flavorframe.result._json import dump, to_dict
from flavorframe.result.timing import STAGES, Timing, share_cells, speed_cells, workers_grid
from flavorframe.skims import Skim

if TYPE_CHECKING:
    from flavorframe.analysis import Analysis
    from flavorframe.fit import FitResult, FittedParameter
    from flavorframe.result import Result


def selection(inputs: Inputs) -> Grid:
    """Return the steps of the selection with their formulas."""
    steps = next(iter(inputs.results.values())).cutflow.rows[1:]
    rows = tuple(
        (str(number), step.name, shortened(step.formula)) for number, step in enumerate(steps, 1)
    )
    return Grid(("", "cut", "condition"), rows, labels=3)


def caption(view: View, declared: Declared | None) -> str:
    """Return what a histogram shows, how much of it is in range, and what variations make of it."""
    parts = list(_declaration(declared)) if isinstance(declared, Histogram) else []
    inside, everything = (_content(view.histogram, flow) for flow in (False, True))
    what, digits = ("Σw", ",.6g") if holds_weights(view.histogram) else ("entries", ",.0f")
    parts.append(f"{inside:{digits}} {what} in range, {everything - inside:{digits}} outside")
    effects = ", ".join(view.effects())
    if effects:
        parts.append(f"in the variations: {effects}")
    if view.band is not None:
        parts.append("band: all variations in quadrature")
    return "; ".join(parts)


def eras_caption(inputs: Inputs) -> str:
    """Return what the panels of the eras show."""
    scaled = all(result.luminosity for result in inputs.results.values())
    return "era by era, per fb⁻¹; grey: the mean of all" if scaled else "era by era"


def _declaration(spec: Histogram) -> Iterator[str]:
    yield " and ".join(brief(axis.node) for axis in spec.axes)
    if spec.without is not None:
        yield f"all cuts but “{spec.without}” (N−1)"
    if spec.weight is not None:
        yield f"weight {brief(spec.weight)}"


def _content(histogram: Any, flow: bool) -> float:
    return float(histogram.values(flow=flow).sum())


def parameters(inputs: Inputs) -> Grid:
    """Return the fitted parameters, a row for each fit."""
    fits = inputs.fits
    shown = {p.name: p for fit in fits.values() for p in fit.fitted}
    header = ("fit", *map(_with_unit, shown.values()), "p-value")
    rows = tuple(
        (
            era if fit.valid else f"{era} (NOT VALID)",
            *(_fitted(fit, name) for name in shown),
            f"{fit.p_value:.2g}",
        )
        for era, fit in fits.items()
    )
    return Grid(header, rows)


def _with_unit(parameter: FittedParameter) -> str:
    return f"{parameter.name} [{parameter.unit}]" if parameter.unit else parameter.name


def _fitted(fit: FitResult, name: str) -> str:
    parameter = fit.parameters.get(name)
    if parameter is None:
        return UNDEFINED
    if parameter.fixed:
        return f"{parameter.value:.6g} (fixed)"
    return str(Measured(parameter.value, parameter.error))


def links(inputs: Inputs) -> Grid:
    """Return how links between collections fared, a row for each era and link."""
    rows = tuple(
        (
            era, name, f"{link.asked:,}",
            _with_share(link.unmatched, link.asked), _with_share(link.ambiguous, link.asked),
        )
        for era, result in inputs.rows.items()
        for name, link in result.links.items()
    )  # fmt: skip
    header = ("era", "link", "candidates asked", "no element found", "more than one found")
    return Grid(header, rows, labels=2)


def _with_share(count: int, of: int) -> str:
    return f"{count:,} ({100 * count / of:.2g} %)" if count else "0"


def means(inputs: Inputs) -> Grid:
    """Return the nominal means, with their uncertainty and the quantity's standard deviation."""
    rows = tuple(
        (era, key, f"{mean.value:.6g} ± {mean.error:.2g}", f"{mean.deviation:.4g}")
        for era, result in inputs.results.items()
        for name, value in result.outputs.items()
        for key, view in views(name, value).items()
        if isinstance(mean := view.histogram, Mean)
    )
    return Grid(("era", "quantity", "mean", "standard deviation"), rows, labels=2)


def snapshots(inputs: Inputs, analysis: Analysis | None) -> Grid:
    """Return the snapshots: rows, columns, and where they are."""
    declared = {} if analysis is None else dict(analysis.plan.outputs)
    rows = tuple(
        (era, name, _columns(value, declared.get(name)), _place(value), f"{len(value):,}")
        for era, result in inputs.results.items()
        for name, value in result.outputs.items()
        if isinstance(value, Table | WrittenSnapshot)
    )
    return Grid(("era", "snapshot", "columns", "file", "rows"), rows, labels=4)


def read_events(inputs: Inputs) -> Grid:
    """Return what is known of all events that were read: tallies, and what was generated."""
    rows = [
        (era, name, repr(value))
        for era, result in inputs.results.items()
        for name, value in (*result.outputs.items(), ("generated", result.generated))
        if isinstance(value, (*TALLIED, Generated))
    ]
    return Grid(("era", "what", "of all events read"), tuple(rows), labels=3)


def _columns(value: Any, spec: object) -> str:
    if isinstance(spec, Skim):
        new = ", ".join(spec.new_names)
        dropped = f" without {', '.join(spec.drop)}" if spec.drop else ""
        return f"events with {', '.join(spec.keep)}{dropped}" + (f", and {new}" if new else "")
    if isinstance(spec, Snapshot):
        return ", ".join(name for name, _ in spec.columns)
    return ", ".join(getattr(value, "columns", ())) or UNDEFINED


def _place(value: Any) -> str:
    return ", ".join(getattr(value, "paths", ())) or "in memory"


def files(inputs: Inputs) -> Grid:
    """Return how many files and events of each era were read."""
    rows = tuple(
        (
            era, result.dataset.kind, _readable_time(result.provenance.time), _status(result),
            f"{len(result.dataset):,}", f"{len(result.failures.failed_files):,}",
            f"{result.events:,}",
        )
        for era, result in inputs.results.items()
    )  # fmt: skip
    header = ("era", "kind", "run at", "status", "files", "failed", "events read")
    return Grid(header, rows, labels=4)


def _readable_time(time: str) -> str:
    return time.replace("T", " ").replace("+00:00", " UTC")


def _status(result: Result) -> str:
    return "complete" if result.is_complete else f"PARTIAL, {100 * result.fraction:.3g} %"


def timing(inputs: Inputs) -> Grid:
    """Return the speed of each era, and the share of each stage."""
    timings = {era: result.timing for era, result in inputs.rows.items()}
    rows = tuple(
        (era, seconds(time.wall), str(time.threads), *speed_cells(time), *share_cells(time))
        for era, time in timings.items()
    )
    header = ("era", "time [s]", "threads", "events/s", "MB/s", *(f"{stage} %" for stage in STAGES))
    return Grid(header, rows)


def workers(inputs: Inputs) -> Grid | None:
    """Return the speed of each worker and the share of each stage; None for threads of one machine.

    The workers of all eras are taken together.
    """
    total = sum((result.timing for result in inputs.results.values()), Timing())
    return workers_grid(total) if total.workers else None


def provenance(inputs: Inputs) -> Grid:
    """Return with what the results were made; eras made alike share a column."""
    made: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for era, result in inputs.results.items():
        fitted = any(era in part.fits for part in inputs.parts.values())
        made.setdefault(tuple(_facts(result, fitted=fitted)), []).append(era)
    names = dict.fromkeys(name for facts in made for name, _ in facts)
    rows = tuple((name, *(dict(facts).get(name, UNDEFINED) for facts in made)) for name in names)
    return Grid(("", *map(", ".join, made.values())), rows, labels=1 + len(made))


def _facts(result: Result, *, fitted: bool) -> Iterator[tuple[str, str]]:
    yield "plan", result.provenance.plan
    yield "Python", result.provenance.host_python
    yield from result.provenance.versions.items()
    if fitted:
        yield "iminuit", version("iminuit")


def as_json(inputs: Inputs) -> str:
    """Return all numbers as JSON, for machines; null stands for NaN, and no tag can end it.

    Fits are by era, where there are several regions by region and era.
    """
    content = {era: to_dict(result) for era, result in inputs.results.items()}
    fits = {
        region: {era: fit.to_dict() for era, fit in part.fits.items()}
        for region, part in inputs.parts.items()
    }
    numbers = {"results": content, "fits": fits.get("", fits)}
    finite = json.loads(dump(numbers), object_hook=_finite)
    return json.dumps(finite, ensure_ascii=False).replace("<", "\\u003c")


def _finite(value: Any) -> Any:
    return value if decoded(value) is value else None
