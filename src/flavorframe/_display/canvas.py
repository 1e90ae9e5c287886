"""What the plots share: the style, figures that do not leak, headings, and saving."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Source: M. A. Petroff, arXiv:2107.02270, as in the CMS style; told apart by the colour-blind.
BLUE, ORANGE, RED, PURPLE, GREY = "#5790fc", "#f89c20", "#e42536", "#964a8b", "#9c9ca1"


@contextmanager
def cms_style() -> Iterator[None]:
    """Apply the CMS style of mplhep within a block, and leave the session's own style alone."""
    import matplotlib.pyplot as plt
    import mplhep

    # Fonts by name: "sans-serif" would be looked up again, in the session's style, when a notebook
    # draws the finished figure. DejaVu has the characters that Heros lacks.
    fonts = {"font.family": ["TeX Gyre Heros", "DejaVu Sans"], "mathtext.fontset": "stixsans"}
    lines = {"lines.linewidth": 2.5, "lines.markersize": 6}
    with plt.style.context([mplhep.style.CMS, fonts, lines]):
        yield


def new_axes(width: float, height: float, columns: int = 1) -> list[Axes]:
    """Return the axes of a new figure [inches] that pyplot does not keep, so it cannot leak."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, columns, figsize=(width, height), squeeze=False)
    plt.close(figure)
    return list(axes[0])


def split_off_panel(ax: Axes) -> Axes:
    """Return new axes below some, which share their horizontal axis, for pulls or a ratio."""
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    panel: Axes = make_axes_locatable(ax).append_axes("bottom", "28%", pad=0.15, sharex=ax)
    ax.tick_params(labelbottom=False)
    return panel


def figure_of(ax: Axes) -> Figure:
    """Return the figure that holds the axes, also from within a subfigure."""
    from matplotlib.figure import Figure

    return ax.figure if isinstance(ax.figure, Figure) else ax.figure.figure


def save(figure: Figure, path: str | Path | None) -> None:
    """Write a figure to ``path``, if there is one; the suffix decides the format."""
    if path is not None:
        figure.savefig(path, bbox_inches="tight", dpi=150)


def write_heading(ax: Axes, experiment: str, label: str, right: str) -> None:
    """Write above the axes: the experiment in bold, a label in italics, and at the right a text."""
    left = ax.annotate(
        experiment, (0, 1), (0, 6), "axes fraction", "offset points", weight="bold", va="bottom"
    )
    ax.annotate(label, (1, 0), (8, 0), left, "offset points", style="italic", va="bottom")
    ax.annotate(
        right,
        (1, 1),
        (0, 6),
        "axes fraction",
        "offset points",
        size="small",
        va="bottom",
        ha="right",
    )
