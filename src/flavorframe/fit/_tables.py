"""The tables of models, fits and toy studies, for text and HTML: add a column here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from flavorframe._display import Grid, rounded, with_error
from flavorframe.fit.formula import term_text

if TYPE_CHECKING:
    from flavorframe.fit.components import Component
    from flavorframe.fit.impacts import Impact
    from flavorframe.fit.parameter import FittedParameter, Parameter, Yield
    from flavorframe.fit.toys import PullSummary

Row = tuple[str, ...]

CSS_CLASS = "flavorframe-fit"
STYLE = "margin: 0.3em 0; "
TITLE_STYLE = f"{STYLE}font-weight: bold"
ALARM_STYLE = f"{STYLE}color: #fff; background: #bd1f01; padding: 0.2em 0.5em; font-weight: bold"
PROBLEM_STYLE = f"{STYLE}color: #bd1f01"


def component_table(components: Iterable[Component]) -> Grid:
    """Return each component's name, kind and what shapes it; how many candidates, if told."""
    rows = [
        (
            c.name,
            type(c).__name__,
            c.kind,
            _shapes(c),
            term_text(c.candidates) if c.candidates else "",
        )
        for c in components
    ]
    header = ("component", "shape", "kind", "parameters", "candidates")
    return _grid(*_without_empty([header, *rows]))


def start_table(parameters: Iterable[Parameter]) -> Grid:
    """Return where the fit of each parameter starts, its limits, and what is known of it."""
    rows = [
        (p.name, f"{p.start:.6g}", "fixed" if p.fixed else _limits(p), _known(p), p.unit)
        for p in parameters
    ]
    header = ("parameter", "start", "limits", "constraint", "unit")
    return _grid(*_without_empty([header, *rows]))


def fitted_table(fitted: Iterable[FittedParameter]) -> Grid:
    """Return the fitted parameters with their errors, limits and units; no empty column."""
    rows = [
        (p.name, rounded(p.value, p.error), *_errors(p), "" if p.fixed else _limits(p), p.unit)
        for p in fitted
    ]
    header = ("parameter", "value", "error", "MINOS", "limits", "unit")
    return _grid(*_without_empty([header, *rows]))


def pull_table(
    truth: Mapping[str, float], summary: Mapping[str, PullSummary], *, of_yields: bool
) -> Grid:
    """Return the true value of all that was fitted, and the mean and width of its pull."""
    rows = [
        (
            name,
            f"{truth[name]:.0f}" if abs(truth[name]) >= 10 else f"{truth[name]:.4g}",
            with_error(found.mean, found.mean_error),
            with_error(found.width, found.width_error),
        )
        for name, found in summary.items()
    ]
    return _grid(("yield" if of_yields else "parameter", "truth", "pull mean", "pull width"), rows)


def spectrum_table(yields: Mapping[str, Mapping[str, Yield]]) -> Grid:
    """Return the candidates of each component, a row for each spectrum."""
    components = list(dict.fromkeys(name for found in yields.values() for name in found))
    rows = [
        (spectrum, *(with_error(*found[name]) if name in found else "" for name in components))
        for spectrum, found in yields.items()
    ]
    return _grid(("spectrum", *components), rows)


def impact_table(found: Mapping[str, Impact]) -> Grid:
    """Return the pull of each constrained parameter, and what it does to that of interest."""
    rows = [
        (name, with_error(i.pull, i.pull_error), f"{i.down:+.3g}", f"{i.up:+.3g}")
        for name, i in found.items()
    ]
    return _grid(("parameter", "pull", "impact of −1 σ", "impact of +1 σ"), rows)


def _grid(header: Row, rows: Iterable[Row]) -> Grid:
    return Grid(header, tuple(rows), labels=len(header))


def _without_empty(table: list[Row]) -> tuple[Row, list[Row]]:
    columns = [column for column in zip(*table, strict=True) if any(column[1:])]
    header, *rows = zip(*columns, strict=True)
    return header, rows


def _shapes(component: Component) -> str:
    return ", ".join(term_text(term) for term in component.arguments)


def _limits(parameter: Parameter | FittedParameter) -> str:
    low, high = parameter.limits
    return f"[{low:.6g}, {high:.6g}]"


def _known(parameter: Parameter) -> str:
    known = parameter.constraint
    if known is None:
        return ""
    return f"{with_error(known.value, known.error)}{' (log-normal)' if known.log_normal else ''}"


def _errors(parameter: FittedParameter) -> Row:
    if parameter.fixed:
        return "fixed", ""
    error = rounded(parameter.error, parameter.error)
    if parameter.minos is None:
        return error, ""
    lower, upper = parameter.minos
    return error, f"-{rounded(-lower, -lower)} +{rounded(upper, upper)}"
