"""The plots of a report: which there are, what is written on them, and saving them as files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flavorframe._display.canvas import cms_style
from flavorframe._files.writing import make_folder
from flavorframe.report.drawing import (
    EraHistogram,
    draw_eras,
    draw_histogram,
    draw_yields,
    readable,
)
from flavorframe.report.files import image, write_bytes
from flavorframe.report.inputs import TOTAL, Fits, Inputs, gather, histograms
from flavorframe.report.views import View, views
from flavorframe.report.yields import signal_titles, yields_per_luminosity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from flavorframe.result import Result

FORMATS = ("png", "pdf")


def save_plots(
    folder: str | os.PathLike[str],
    results: Result | Mapping[str, Result],
    fits: Fits = None,
) -> list[Path]:
    """Write every plot as PNG and PDF to a folder, and return the files.

    ``mass.png`` is the histogram ``mass``, summed over the eras, ``2017B_mass.png`` that of one of
    several eras and ``mass-by-era.png`` all side by side; ``fit-result.png`` and
    ``2017B_fit-result.png`` are the fits, ``Ds_yield-by-era.png`` the yields per fb⁻¹ of the signal
    Ds. Categories have a plot each, ``mass.barrel.png``, and names of a region's begin with its
    own, ``signal.mass.png``.

    Args:
        folder: Where to write; it is made if need be.
        results: A result, or results by era.
        fits: A fit, or fits by era or region; see `write`.

    Raises:
        AnalysisError: Where results and fits do not belong together.
        RunError: Where the folder cannot be written to.
    """
    inputs = gather(results, fits)
    path = Path(folder).expanduser()
    make_folder(path)
    written = []
    with cms_style():
        for name, figure in _named_plots(inputs):
            for suffix in FORMATS:
                written.append(path / f"{_file_name(name)}.{suffix}")
                write_bytes(written[-1], image(figure, suffix))
    return written


def histogram_plot(inputs: Inputs, era: str, view: View) -> Figure:
    """Draw a histogram of an era, or of the sum of all."""
    label = _joined(_label(inputs.rows[era]), view.category)
    return draw_histogram(view.histogram, label=label, right=_data(inputs, era), band=view.band)


def fit_plot(inputs: Inputs, era: str) -> Figure:
    """Draw the fit of an era, or of all together, with its pulls."""
    fit = inputs.fits[era]
    result = inputs.rows.get(era)
    return fit.plot(label=_joined(_name(inputs, era), fit.label, _label(result)))


def eras_plot(inputs: Inputs, by_era: Mapping[str, View]) -> Figure | None:
    """Draw a histogram of one axis in several eras side by side; None where there is nothing to."""
    if not inputs.has_several or any(len(view.histogram.axes) > 1 for view in by_era.values()):
        return None
    return draw_eras(
        {
            era: EraHistogram(view.histogram, result.luminosity, _label(result), view.band)
            for (era, view), result in zip(by_era.items(), inputs.results.values(), strict=True)
        }
    )


def yields_plots(inputs: Inputs) -> dict[str, Figure]:
    """Draw the yields per fb⁻¹ of each signal that two eras or more have, with valid fits."""
    series = {
        (name, title): yields_per_luminosity(inputs, name)
        for name, title in signal_titles(inputs.all_fits).items()
    }
    label = _label(inputs.total)
    return {
        name: draw_yields(title, eras, label=label)
        for (name, title), eras in series.items()
        if len(eras) > 1
    }


def views_of(inputs: Inputs) -> Iterator[tuple[str, str, dict[str, View]]]:
    """Yield for each picture of the histograms its name, the histogram's, and it in each era."""
    for name in histograms(next(iter(inputs.results.values()))):
        eras = {**inputs.summed, **inputs.results}
        by_era = {era: views(name, result.outputs[name]) for era, result in eras.items()}
        for key in next(iter(by_era.values())):
            yield key, name, {era: found[key] for era, found in by_era.items()}


def _named_plots(inputs: Inputs) -> Iterator[tuple[str, Figure]]:
    for region, part in inputs.parts.items():
        yield from _plots_of(part, f"{region}." if region else "")


def _plots_of(inputs: Inputs, prefix: str) -> Iterator[tuple[str, Figure]]:
    # Hyphens keep the names apart from those of histograms, which have none.
    for signal, figure in yields_plots(inputs).items():
        yield f"{prefix}{signal}_yield-by-era", figure
    for key, _, by_era in views_of(inputs):
        for era, view in by_era.items():
            yield _prefixed(inputs, era, f"{prefix}{key}"), histogram_plot(inputs, era, view)
        side_by_side = eras_plot(inputs, {era: by_era[era] for era in inputs.results})
        if side_by_side is not None:
            yield f"{prefix}{key}-by-era", side_by_side
    for era in inputs.fits:
        yield _prefixed(inputs, era, f"{prefix}fit-result"), fit_plot(inputs, era)


def _prefixed(inputs: Inputs, era: str, name: str) -> str:
    return f"{era}_{name}" if inputs.has_several and era != TOTAL else name


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.+-]", "_", name)


def _label(result: Result | None) -> str:
    if result is None:
        return ""
    simulation = "Simulation" if result.dataset.kind == "simulation" else ""
    return _joined(simulation, "" if result.is_complete else "partial")


def _joined(*words: str) -> str:
    return ", ".join(dict.fromkeys(word for word in words if word))


def _data(inputs: Inputs, era: str) -> str:
    """Return what the data are: the era or the number of them, and the luminosity."""
    luminosity = inputs.rows[era].luminosity
    name = _name(inputs, era)
    return name if luminosity is None else f"{name}, {luminosity:.3g} fb$^{{-1}}$"


def _name(inputs: Inputs, era: str) -> str:
    several = era == TOTAL and inputs.has_several
    return f"{len(inputs.results)} eras" if several else readable(era)
