"""The drawing of a stack of simulation, with data and their ratio."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._display.canvas import (
    cms_style,
    figure_of,
    new_axes,
    save,
    split_off_panel,
    write_heading,
)
from flavorframe._display.error_bars import poisson_errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from flavorframe.result._stacking import Stack

#: The ten colours of M. A. Petroff, arXiv:2107.02270, which the colour-blind tell apart.
COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70",
    "#717581", "#92dadd",
)  # fmt: skip
DARK = "#444444"
MOST_RATIO = 2.0
"""Up to where ratios are drawn at most."""


def draw_stack(stack: Stack, *, logarithmic: bool, label: str, path: str | Path | None) -> Figure:
    """Draw a stack; arguments as in `Results.stack`."""
    with cms_style():
        (ax,) = new_axes(10, 10 if stack.data is not None else 8)
        total = sum(np.asarray(h.values()) for h in stack.simulation.values())
        variance = sum(np.asarray(h.variances()) for h in stack.simulation.values())
        error = np.sqrt(variance)
        edges = next(iter(stack.simulation.values())).axes[0].edges
        bottom = ax
        if stack.data is not None:
            bottom = split_off_panel(ax)
            _draw_ratio(bottom, stack.data, edges, total, error)
        _draw_simulation(ax, stack, edges)
        _band(ax, edges, total - error, total + error, label="Simulation, stat. error")
        if stack.data is not None:
            _points(ax, edges, stack.data.values(), _errors(stack.data), label="Data")
        _finish(ax, bottom, stack, total, logarithmic=logarithmic)
        write_heading(ax, "flavorframe", label, f"{stack.luminosity:.4g} fb$^{{-1}}$")
        save(figure_of(ax), path)
        return figure_of(ax)


def _draw_simulation(ax: Axes, stack: Stack, edges: Any) -> None:
    below = np.zeros(len(edges) - 1)
    for number, (title, histogram) in enumerate(stack.simulation.items()):
        above = below + histogram.values()
        colour = COLOURS[number % len(COLOURS)]
        ax.stairs(above, edges, baseline=below, fill=True, color=colour, label=title)
        below = above


def _draw_ratio(ax: Axes, data: Any, edges: Any, total: Any, error: Any) -> None:
    expected = np.where(total > 0, total, np.nan)
    ratio, reach = data.values() / expected, _errors(data) / expected
    _band(ax, edges, 1 - error / expected, 1 + error / expected)
    ax.axhline(1, color="black", linewidth=1)
    _points(ax, edges, ratio, reach)
    width = np.nanmax(np.abs(ratio - 1) + reach.max(axis=0), initial=0.2)
    width = min(1.1 * width, MOST_RATIO - 1)
    ax.set_ylim(1 - width, 1 + width)
    ax.set_ylabel("Data / sim.", loc="center")


def _band(ax: Axes, edges: Any, low: Any, high: Any, label: str = "") -> None:
    low, high = np.nan_to_num(low, nan=1.0), np.nan_to_num(high, nan=1.0)
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": DARK, "linewidth": 0}
    ax.fill_between(
        edges, np.append(low, low[-1]), np.append(high, high[-1]), step="post", hatch="////",
        label=label or None, **style,
    )  # fmt: skip


def _points(ax: Axes, edges: Any, values: Any, errors: Any, label: str = "") -> None:
    centres = (edges[1:] + edges[:-1]) / 2
    ax.errorbar(centres, values, errors, fmt="o", color="black", label=label or None, zorder=5)


def _errors(data: Any) -> Any:
    """Return the distances to the ends of the error bars, shape (2, bins)."""
    if hasattr(data.view(), "variance"):
        return np.tile(np.sqrt(data.variances()), (2, 1))
    return poisson_errors(data.values().astype(float))


def _finish(ax: Axes, bottom: Axes, stack: Stack, total: Any, *, logarithmic: bool) -> None:
    axis = next(iter(stack.simulation.values())).axes[0]
    highest = float(max(total.max(), 0 if stack.data is None else stack.data.values().max()))
    highest = highest or 1.0
    if logarithmic:
        positive = total[total > 0]
        lowest = 0.3 * float(positive.min()) if len(positive) else 0.1
        ax.set_yscale("log")
        ax.set_ylim(lowest, highest * (highest / lowest) ** 0.4)
    else:
        ax.set_ylim(0, 1.45 * highest)
    ax.set_xlim(axis.edges[0], axis.edges[-1])
    widths = np.diff(axis.edges)
    per = f"{widths[0]:.3g}" if np.allclose(widths, widths[0]) else "bin"
    ax.set_ylabel(f"Entries / {per}")
    bottom.set_xlabel(axis.label)
    handles, names = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], names[::-1], loc="upper right", ncols=2, fontsize="x-small")
