"""The tables that text and HTML representations share: a header and rows of strings."""

from __future__ import annotations

from flavorframe.fit._numbers import rounded, with_error
from flavorframe.fit.components import Component
from flavorframe.fit.model import MassModel
from flavorframe.fit.parameter import Parameter
from flavorframe.fit.result import FitResult, FittedParameter
from flavorframe.fit.toys import ToyStudy

Row = tuple[str, ...]


def component_table(model: MassModel) -> list[Row]:
    """Return each component's name, kind and the parameters that shape it."""
    rows = [(c.name, type(c).__name__, c.kind, _shapes(c)) for c in model.components]
    return [("component", "shape", "kind", "parameters"), *rows]


def start_table(model: MassModel) -> list[Row]:
    """Return where the fit of each parameter starts, and its limits."""
    rows = [
        (p.name, f"{p.start:.6g}", "fixed" if p.fixed else _limits(p), p.unit)
        for p in model.parameters.values()
    ]
    return [("parameter", "start", "limits", "unit"), *rows]


def fitted_table(fit: FitResult) -> list[Row]:
    """Return the fitted parameters with their errors, limits and units."""
    rows = [
        (p.name, rounded(p.value, p.error), *_errors(p), "" if p.fixed else _limits(p), p.unit)
        for p in fit.fitted
    ]
    return _without_empty([("parameter", "value", "error", "MINOS", "limits", "unit"), *rows])


def pull_table(study: ToyStudy) -> list[Row]:
    """Return the mean and width of the pull of each yield."""
    rows = [
        (
            name,
            f"{study.truth[name]:.0f}",
            with_error(found.mean, found.mean_error),
            with_error(found.width, found.width_error),
        )
        for name, found in study.summary.items()
    ]
    return [("yield", "truth", "pull mean", "pull width"), *rows]


def quality(fit: FitResult) -> str:
    """Return χ²/ndf, p-value, EDM and, where known, the luminosity in one line."""
    parts = [
        f"χ²/ndf = {fit.chi2:.1f}/{fit.ndf} = {fit.chi2_ndf:.2f}",
        f"p = {fit.p_value:.2g}",
        f"EDM = {fit.edm:.1e}",
    ]
    if fit.luminosity is not None:
        parts.append(f"{fit.luminosity:g} fb⁻¹")
    return ", ".join(parts)


def title(fit: FitResult) -> str:
    """Return what was fitted, in a few words."""
    low, high = fit.model.range
    name = f" {fit.label}" if fit.label else ""
    return f"Fit{name}: {len(fit.data.values)} bins, {low:g}–{high:g} GeV"


def _without_empty(table: list[Row]) -> list[Row]:
    columns = [column for column in zip(*table, strict=True) if any(column[1:])]
    return list(zip(*columns, strict=True))


def _shapes(component: Component) -> str:
    return ", ".join(
        p.name if p.factor == 1 else f"{p.factor:.4g}·{p.name}" for p in component.parameters
    )


def _limits(parameter: Parameter | FittedParameter) -> str:
    low, high = parameter.limits
    return f"[{low:.6g}, {high:.6g}]"


def _errors(parameter: FittedParameter) -> Row:
    if parameter.fixed:
        return "fixed", ""
    error = rounded(parameter.error, parameter.error)
    if parameter.minos is None:
        return error, ""
    lower, upper = parameter.minos
    return error, f"-{rounded(-lower, -lower)} +{rounded(upper, upper)}"
