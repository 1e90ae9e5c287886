"""The plot of a fit: data, model and components above, pulls below."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._display.canvas import (
    BLUE,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    cms_style,
    figure_of,
    new_axes,
    save,
    split_off_panel,
    write_heading,
)
from flavorframe._display.error_bars import poisson_errors
from flavorframe._display.numbers import with_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import ErrorbarContainer
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from flavorframe.fit.binned import BinnedData
    from flavorframe.fit.components import Array
    from flavorframe.fit.result import FitResult

    Handle = Line2D | ErrorbarContainer

#: Points of a curve in each bin.
POINTS_PER_BIN = 10

#: Pulls are drawn to ± this, further only if one is beyond.
PULL_RANGE = 4.0


def plot_fit(
    fit: FitResult,
    ax: Axes | None,
    path: str | Path | None,
    *,
    label: str,
    energy: float | None,
    experiment: str,
) -> Figure:
    """Draw a fit; arguments as in `FitResult.plot`."""
    if ax is None:
        with cms_style():
            (ax,) = new_axes(10, 10)
            return plot_fit(fit, ax, path, label=label, energy=energy, experiment=experiment)
    pulls = split_off_panel(ax)
    handles = [_draw_data(ax, fit.bins), *_draw_model(ax, fit)]
    _draw_pulls(pulls, fit)
    _finish(ax, fit.bins, handles)
    write_heading(ax, experiment, label, _conditions(fit.luminosity, energy))
    if not fit.valid:
        _stamp(ax, fit.problems)
    save(figure_of(ax), path)
    return figure_of(ax)


def _draw_data(ax: Axes, data: BinnedData) -> Handle:
    errors = poisson_errors(data.values) if data.variances is None else np.sqrt(data.variances)
    seen = data.used
    errors = errors[..., seen]
    style: dict[str, Any] = {"fmt": "o", "color": "black", "label": "Data", "zorder": 4}
    return ax.errorbar(data.centers[seen], data.values[seen], errors, **style)


def _draw_model(ax: Axes, fit: FitResult) -> list[Handle]:
    """Draw the total and each component; return them for the legend, signals last."""
    edges = _fine_edges(fit.bins.edges)
    masses = (edges[1:] + edges[:-1]) / 2
    curves = {
        name: POINTS_PER_BIN * curve
        for name, curve in fit.model.expected(edges, fit.values).items()
    }
    total = np.sum(list(curves.values()), axis=0)
    quality = f"Fit: χ²/ndf = {fit.chi2:.1f}/{fit.ndf}"
    drawn: list[Handle] = [*ax.plot(masses, total, color=BLUE, label=quality, zorder=3)]
    colours = itertools.cycle([RED, ORANGE, PURPLE])
    for component in sorted(fit.model.components, key=lambda c: c.kind):
        legend = f"{component.title or component.name}: {with_error(*fit.yields[component.name])}"
        curve = curves[component.name]
        if component.kind == "background":
            drawn += ax.plot(masses, curve, color=GREY, linestyle="--", label=legend)
        else:
            colour = next(colours)
            ax.fill_between(masses, curve, color=colour, alpha=0.35, linewidth=0)
            drawn += ax.plot(masses, curve, color=colour, label=legend)
    return drawn


def _fine_edges(edges: Array) -> Array:
    steps = np.arange(POINTS_PER_BIN) / POINTS_PER_BIN
    inside = edges[:-1, np.newaxis] + np.diff(edges)[:, np.newaxis] * steps
    return np.append(inside.ravel(), edges[-1])


def _draw_pulls(ax: Axes, fit: FitResult) -> None:
    from matplotlib.ticker import MaxNLocator

    pulls = fit.pulls
    ax.axhspan(-2, 2, color=GREY, alpha=0.2, linewidth=0)
    ax.axhline(0, color=BLUE)
    ax.errorbar(fit.bins.centers, pulls, 1, fmt="o", color="black")
    reach = max(PULL_RANGE, 1.2 * np.nanmax(np.abs(pulls), initial=0))
    ax.set(ylim=(-reach, reach), xlabel=fit.bins.axis_label)
    ax.set_ylabel("Pull", loc="center")
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True, prune="both"))


def _finish(ax: Axes, data: BinnedData, handles: list[Handle]) -> None:
    # Room for the legend above the highest point.
    ax.set(xlim=(data.edges[0], data.edges[-1]), ylim=(0, 1.4 * data.values.max()))
    ax.set_ylabel(_per_bin(data))
    ax.legend(handles=handles, loc="upper left", ncols=2, fontsize="x-small")


def _per_bin(data: BinnedData) -> str:
    widths = np.diff(data.edges)
    what = "Candidates" if data.variances is None else "Weighted candidates"
    return (
        f"{what} / {1000 * widths[0]:.3g} MeV"
        if np.allclose(widths, widths[0])
        else f"{what} / bin"
    )


def _conditions(luminosity: float | None, energy: float | None) -> str:
    parts = [
        "" if luminosity is None else f"{luminosity:g} fb$^{{-1}}$",
        "" if energy is None else f"({energy:g} TeV)",
    ]
    return " ".join(part for part in parts if part)


def _stamp(ax: Axes, problems: Sequence[str]) -> None:
    style: dict[str, Any] = {
        "transform": ax.transAxes,
        "color": RED,
        "weight": "bold",
        "ha": "center",
    }
    ax.text(0.5, 0.5, "FIT NOT VALID", size="xx-large", rotation=15, zorder=10, **style)
    reasons = "\n".join(fill(problem, 65) for problem in problems)
    box = {"facecolor": "white", "edgecolor": RED}
    ax.text(0.5, 0.04, reasons, size="xx-small", bbox=box, zorder=10, **style)
