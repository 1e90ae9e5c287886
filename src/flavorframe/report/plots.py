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
from flavorframe.report.inputs import TOTAL, Inputs, gather, histograms
from flavorframe.report.yields import signal_titles, yields_per_luminosity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from flavorframe.fit import FitResult
    from flavorframe.result import Result

FORMATS = ("png", "pdf")


def save_plots(
    folder: str | os.PathLike[str],
    results: Result | Mapping[str, Result],
    fits: FitResult | Mapping[str, FitResult] | None = None,
) -> list[Path]:
    """Write every plot as PNG and PDF to a folder, and return the files.

    ``mass.png`` is the histogram ``mass``, summed over the eras, ``2017B_mass.png`` that of one of
    several eras and ``mass-by-era.png`` all side by side; ``fit-result.png`` and
    ``2017B_fit-result.png`` are the fits, ``Ds_yield-by-era.png`` the yields per fb⁻¹ of the signal
    Ds.

    Args:
        folder: Where to write; it is made if need be.
        results: A result, or results by era.
        fits: A fit, or fits by era; see `write`.

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


def histogram_plot(inputs: Inputs, era: str, name: str) -> Figure:
    """Draw a histogram of an era, or of the sum of all."""
    result = inputs.rows[era]
    return draw_histogram(result.outputs[name], label=_label(result), right=_data(inputs, era))


def fit_plot(inputs: Inputs, era: str) -> Figure:
    """Draw the fit of an era, or of all together, with its pulls."""
    fit = inputs.fits[era]
    result = inputs.rows.get(era)
    return fit.plot(label=_joined(_name(inputs, era), fit.label, _label(result)))


def eras_plot(inputs: Inputs, name: str) -> Figure | None:
    """Draw a histogram of one axis in several eras side by side; None where there is nothing to."""
    found = {era: result.outputs[name] for era, result in inputs.results.items()}
    if not inputs.has_several or any(len(h.axes) > 1 for h in found.values()):
        return None
    return draw_eras(
        {
            era: EraHistogram(found[era], result.luminosity, _label(result))
            for era, result in inputs.results.items()
        }
    )


def yields_plots(inputs: Inputs) -> dict[str, Figure]:
    """Draw the yields per fb⁻¹ of each signal that two eras or more have, with valid fits."""
    series = {
        (name, title): yields_per_luminosity(inputs, name)
        for name, title in signal_titles(inputs.fits).items()
    }
    label = _label(inputs.total)
    return {
        name: draw_yields(title, eras, label=label)
        for (name, title), eras in series.items()
        if len(eras) > 1
    }


def _named_plots(inputs: Inputs) -> Iterator[tuple[str, Figure]]:
    # Hyphens keep the names apart from those of histograms, which have none.
    for signal, figure in yields_plots(inputs).items():
        yield f"{signal}_yield-by-era", figure
    for name in histograms(next(iter(inputs.results.values()))):
        for era in {**inputs.summed, **inputs.results}:
            yield _prefixed(inputs, era, name), histogram_plot(inputs, era, name)
        side_by_side = eras_plot(inputs, name)
        if side_by_side is not None:
            yield f"{name}-by-era", side_by_side
    for era in inputs.fits:
        yield _prefixed(inputs, era, "fit-result"), fit_plot(inputs, era)


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
