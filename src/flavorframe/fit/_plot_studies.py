"""Plots of what comes with a fit: scans, contours, impacts, envelopes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flavorframe._display.canvas import (
    BLUE,
    GREY,
    ORANGE,
    RED,
    cms_style,
    figure_of,
    new_axes,
    save,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from flavorframe.fit.discrete import Envelope
    from flavorframe.fit.impacts import Impacts
    from flavorframe.fit.scans import Contour, Scan

RISE = "−2 Δ ln L"


def plot_scan(scan: Scan, path: str | Path | None) -> Figure:
    """Draw a scan; arguments as in `Scan.plot`."""
    with cms_style():
        (ax,) = new_axes(10, 8)
        ax.plot(scan.values, scan.rise, color=BLUE)
        for level in (1.0, 4.0):
            ax.axhline(level, color=GREY, linestyle="--")
        ax.set(xlabel=_with_unit(scan.name, scan.unit), ylabel=RISE)
        ax.set_ylim(0, max(5.0, 1.1 * float(np.nanmax(scan.rise))))
        save(figure_of(ax), path)
    return figure_of(ax)


def plot_contour(contour: Contour, path: str | Path | None) -> Figure:
    """Draw a contour; arguments as in `Contour.plot`."""
    with cms_style():
        (ax,) = new_axes(10, 10)
        closed = np.vstack([contour.points, contour.points[:1]])
        ax.plot(*closed.T, color=BLUE, label=f"{contour.cl:.1%}")
        ax.plot(*contour.best, marker="+", color=RED, markersize=16, linestyle="none")
        x, y = (_with_unit(n, u) for n, u in zip(contour.names, contour.units, strict=True))
        ax.set(xlabel=x, ylabel=y)
        ax.legend()
        save(figure_of(ax), path)
    return figure_of(ax)


def plot_impacts(impacts: Impacts, path: str | Path | None) -> Figure:
    """Draw impacts; arguments as in `Impacts.plot`."""
    with cms_style():
        pulls, changes = new_axes(16, 3 + len(impacts.found), columns=2)
        rows = np.arange(len(impacts.found))[::-1]
        found = list(impacts.found.values())
        pulls.errorbar(
            [i.pull for i in found],
            rows,
            xerr=[i.pull_error for i in found],
            fmt="o",
            color="black",
        )
        pulls.axvline(0, color=GREY)
        pulls.set_yticks(rows, list(impacts.found))
        pulls.set(xlabel="Pull", xlim=(-3, 3))
        changes.barh(rows, [i.up for i in found], color=BLUE, alpha=0.6, label="+1 σ")
        changes.barh(rows, [i.down for i in found], color=ORANGE, alpha=0.6, label="−1 σ")
        changes.set_yticks(rows, [""] * len(found))
        changes.set(xlabel=f"Impact on {impacts.of}")
        changes.legend()
        save(figure_of(pulls), path)
    return figure_of(pulls)


def plot_envelope(envelope: Envelope, path: str | Path | None) -> Figure:
    """Draw an envelope; arguments as in `Envelope.plot`."""
    with cms_style():
        (ax,) = new_axes(10, 8)
        for name, rise in envelope.curves.items():
            ax.plot(envelope.values, rise, linestyle="--", label=name)
        ax.plot(envelope.values, envelope.rise, color="black", label="envelope")
        ax.axhline(1.0, color=GREY, linestyle=":")
        ax.set(xlabel=envelope.name, ylabel=f"{RISE} + parameters")
        ax.set_ylim(0, max(5.0, 1.1 * float(np.nanmax(envelope.rise))))
        ax.legend()
        save(figure_of(ax), path)
    return figure_of(ax)


def _with_unit(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name
