"""The drawings of a report: histograms, eras side by side, yields by era."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._display.canvas import BLUE, GREY, ORANGE, cms_style, write_heading
from flavorframe._display.error_bars import poisson_errors
from flavorframe.report.inputs import holds_weights
from flavorframe.report.views import Band
from flavorframe.report.yields import Measured, mean_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "flavorframe"

#: Letters that fit along an axis.
LONGEST_LINE = 45

#: Up to this many eras stand two in a row, so that they fit beside their sum; more stand four.
FEW_ERAS = 4


def draw_histogram(
    histogram: Any, *, label: str = "", right: str = "", band: Band | None = None
) -> Figure:
    """Draw a ``hist.Hist``: one axis as steps with errors, two as a map, more as projections.

    ``label`` ("Simulation") stands beside the name, ``right`` above the right end. Errors of counts
    are the central 68.3 % intervals of Poisson. ``band`` is drawn around steps.
    """
    if len(histogram.axes) > 2:
        histograms = [histogram.project(i) for i in range(len(histogram.axes))]
    else:
        histograms = [histogram]
    with cms_style():
        figure = _figure(10 * len(histograms), 8)
        panels = figure.subplots(1, len(histograms), squeeze=False)[0]
        for ax, each in zip(panels, histograms, strict=True):
            if len(each.axes) == 2:
                _draw_map(ax, each)
            else:
                _draw_steps(ax, each, band=band)
        write_heading(panels[0], NAME, label, "")
        write_heading(panels[-1], "", "", right)
    return figure


@dataclass(frozen=True)
class EraHistogram:
    """A histogram of one axis in one era; ``luminosity`` in fb⁻¹, None where it is unknown."""

    histogram: Any
    luminosity: float | None
    label: str = ""
    band: Band | None = None


def draw_eras(eras: Mapping[str, EraHistogram]) -> Figure:
    """Draw a histogram of one axis in each era, in panels side by side.

    Where every luminosity is known the panels show entries per fb⁻¹ on one scale, over the mean of
    all eras in grey; elsewhere entries.
    """
    mean = _mean_per_luminosity(list(eras.values()))
    columns = 2 if len(eras) <= FEW_ERAS else 4
    rows = math.ceil(len(eras) / columns)
    with cms_style():
        figure = _figure(6 * columns, 4.8 * rows)
        panels = figure.subplots(rows, columns, squeeze=False, sharey=mean is not None, sharex=True)
        for ax, (era, shown) in zip(panels.flat, eras.items(), strict=False):
            if mean is not None:
                ax.stairs(mean, shown.histogram.axes[0].edges, fill=True, color=GREY, alpha=0.4)
            _draw_era(ax, era, shown, scale=1.0 if mean is None else 1 / (shown.luminosity or 1))
        for ax in panels.flat[len(eras) :]:
            ax.remove()
        for ax in panels.flat[max(0, len(eras) - columns) : len(eras)]:
            ax.tick_params(labelbottom=True)
        first = next(iter(eras.values())).histogram
        figure.supxlabel(readable(first.axes[0].label), x=0.98, ha="right", size="medium")
        unit = "" if mean is None else " / fb$^{-1}$"
        figure.supylabel(f"{_entries(first)}{unit}", y=0.98, va="top", size="medium")
    return figure


def draw_yields(signal: str, eras: Mapping[str, Measured], *, label: str = "") -> Figure:
    """Draw the yields per fb⁻¹ of a signal by era, and their mean."""
    mean, chi2, ndf = mean_of(eras.values())
    values, errors = zip(*eras.values(), strict=True)
    places = range(len(eras))
    with cms_style():
        figure = _figure(10, 8)
        ax = figure.subplots()
        legend = f"mean {mean}, χ²/ndf = {chi2:.1f}/{ndf}"
        ax.axhspan(mean.value - mean.error, mean.value + mean.error, color=GREY, alpha=0.4, lw=0)
        ax.axhline(mean.value, color=GREY, linewidth=2, label=legend)
        ax.errorbar(places, values, errors, fmt="o", color="black", markersize=9, elinewidth=2)
        low, high = ax.get_ylim()
        # Room for the legend above the highest point.
        ax.set(xlim=(-0.5, len(eras) - 0.5), ylim=(low, high + 0.3 * (high - low)))
        ax.set_xticks(places, map(readable, eras), rotation=0 if len(eras) < 6 else 60)
        ax.tick_params(axis="x", which="minor", bottom=False, top=False)
        ax.set_ylabel(f"{readable(signal)} yield / fb$^{{-1}}$")
        ax.legend(loc="upper left")
        write_heading(ax, NAME, label, "")
    return figure


def readable(label: str) -> str:
    r"""Return a label that matplotlib can draw: one that is no valid mathematics is plain text.

    >>> print(readable("$p_T$ [GeV]"), readable("cost $_$"), sep=", ")
    $p_T$ [GeV], cost \$_\$
    """
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(label)
    except ValueError:
        return label.replace("$", r"\$")
    # A line of mathematics cannot be broken; the formulas that stand in for labels can.
    return label if "$" in label else fill(label, LONGEST_LINE)


def _figure(width: float, height: float) -> Figure:
    """Return a new figure [inches] that pyplot does not know, so that it cannot leak."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.15))


def _mean_per_luminosity(eras: list[EraHistogram]) -> Any:
    """Return the mean entries per fb⁻¹, shape (bins,), or None where a luminosity is unknown."""
    known = [era.luminosity for era in eras if era.luminosity]
    if len(known) < len(eras):
        return None
    return np.sum([era.histogram.values() for era in eras], axis=0) / sum(known)


def _draw_era(ax: Axes, era: str, shown: EraHistogram, *, scale: float) -> None:
    _draw_steps(ax, shown.histogram, scale=scale, band=shown.band)
    ax.set(xlabel="", ylabel="")
    right = "" if shown.luminosity is None else f"{shown.luminosity:.3g} fb$^{{-1}}$"
    write_heading(ax, readable(era), shown.label, right)


def _draw_steps(ax: Axes, histogram: Any, *, scale: float = 1.0, band: Band | None = None) -> None:
    edges, values = histogram.axes[0].edges, scale * histogram.values()
    centres = (edges[1:] + edges[:-1]) / 2
    ax.margins(y=0.12)
    if band is not None:
        below, above = (scale * side for side in band)
        ax.stairs(
            values + above, edges, baseline=values - below, fill=True, color=ORANGE, alpha=0.4
        )
    ax.stairs(values, edges, color=BLUE, linewidth=2)
    ax.errorbar(
        centres, values, scale * _errors(histogram), fmt="none", ecolor=BLUE, elinewidth=1.5
    )
    ax.set(
        xlim=(edges[0], edges[-1]),
        xlabel=readable(histogram.axes[0].label),
        ylabel=_per_bin(histogram),
    )


def _errors(histogram: Any) -> Any:
    """Return the distances from the values to the ends of their errors, shape (2, bins)."""
    if holds_weights(histogram):
        return np.sqrt([histogram.variances(), histogram.variances()])
    return poisson_errors(histogram.values())


def _draw_map(ax: Axes, histogram: Any) -> None:
    x, y = histogram.axes
    # Empty bins stay white, so that few candidates are told from none; a scale from light to dark
    # also reads well when a dark page inverts it.
    values = np.ma.masked_equal(histogram.values().T, 0)
    mesh = ax.pcolormesh(x.edges, y.edges, values, cmap="viridis_r", rasterized=True)
    ax.set(xlabel=readable(x.label), ylabel=readable(y.label))
    figure = ax.get_figure()
    assert figure is not None
    bar = figure.colorbar(mesh, ax=ax, pad=0.02)
    bar.set_label(f"{_entries(histogram)} / bin")


def _per_bin(histogram: Any) -> str:
    axis = histogram.axes[0]
    if not np.allclose(axis.widths, axis.widths[0]):
        return f"{_entries(histogram)} / bin"
    width, unit = axis.widths[0], re.search(r"\[([^\[\]]*)\]\s*$", axis.label)
    if unit and unit[1] == "GeV" and width < 0.1:
        return f"{_entries(histogram)} / {1000 * width:.3g} MeV"
    return f"{_entries(histogram)} / {width:.3g}{' ' + unit[1] if unit else ''}"


def _entries(histogram: Any) -> str:
    return "Sum of weights" if holds_weights(histogram) else "Entries"
