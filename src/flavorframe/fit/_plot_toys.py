"""The plot of a toy study: the pull of each yield beside the unit Gaussian."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flavorframe._display.canvas import (
    BLUE,
    RED,
    cms_style,
    figure_of,
    new_axes,
    save,
    write_heading,
)
from flavorframe._display.numbers import with_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from flavorframe.fit.components import Array
    from flavorframe.fit.toys import PullSummary, ToyStudy

#: Pulls are drawn from − to + this; the first and last bins hold those beyond.
REACH = 4.0
BINS = 32


def plot_toys(study: ToyStudy, path: str | Path | None) -> Figure:
    """Draw a toy study; arguments as in `ToyStudy.plot`."""
    with cms_style():
        axes = new_axes(8 * len(study.pulls), 8, columns=len(study.pulls))
        for ax, (name, pulls) in zip(axes, study.pulls.items(), strict=True):
            _draw_pulls(ax, f"N({name})" if study.of_yields else name, pulls, study.summary[name])
        valid = study.count - len(study.failures)
        write_heading(axes[0], "flavorframe", "Toys", "")
        write_heading(axes[-1], "", "", f"{valid} of {study.count} fits valid")
        axes[0].set_ylabel("Toys")
        save(figure_of(axes[0]), path)
    return figure_of(axes[0])


def _draw_pulls(ax: Axes, title: str, pulls: Array, summary: PullSummary) -> None:
    edges = np.linspace(-REACH, REACH, BINS + 1)
    inside = np.clip(pulls, -REACH, np.nextafter(REACH, 0))
    ax.stairs(np.histogram(inside, edges)[0], edges, fill=True, color=BLUE, alpha=0.5)
    x = np.linspace(-REACH, REACH, 200)
    unit_gaussian = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    ax.plot(x, len(pulls) * (edges[1] - edges[0]) * unit_gaussian, color=RED, label="unit Gaussian")
    text = (
        f"mean {with_error(summary.mean, summary.mean_error)}\n"
        f"width {with_error(summary.width, summary.width_error)}"
    )
    ax.text(0.04, 0.96, text, transform=ax.transAxes, size="x-small", va="top")
    ax.legend(loc="upper right", fontsize="x-small")
    ax.set(xlabel=f"Pull of {title}", xlim=(-REACH, REACH))
    ax.set_ylim(0, 1.35 * ax.get_ylim()[1])
