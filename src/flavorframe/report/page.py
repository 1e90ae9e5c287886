"""The report: one HTML file with everything in it, to be circulated and opened anywhere."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flavorframe._display.canvas import cms_style
from flavorframe._display.page import environment
from flavorframe._files.writing import require_folder
from flavorframe.report import plots, summary, tables
from flavorframe.report.drawing import FEW_ERAS
from flavorframe.report.files import image, write_bytes
from flavorframe.report.inputs import Fits, Inputs, gather
from flavorframe.report.text import as_html, title_and_body

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from flavorframe.analysis import Analysis
    from flavorframe.averages import Declared
    from flavorframe.certificate import Certificate
    from flavorframe.report.views import View
    from flavorframe.result import Result

#: Up to so many files of an era are listed by name; of more, only their number is written.
MOST_FILES = 500


@dataclass(frozen=True)
class Picture:
    """A plot in the page; ``wide`` ones take the width of two."""

    source: str
    text: str
    caption: str = ""
    wide: bool = False


def write(
    path: str | os.PathLike[str],
    results: Result | Mapping[str, Result],
    *,
    analysis: Analysis | None = None,
    fits: Fits = None,
    title: str | None = None,
    text: str | None = None,
    certificate: Certificate | None = None,
) -> Path:
    """Write a report of results as one HTML file that needs nothing else, and return its path.

    Args:
        path: The file to write.
        results: A result, or results by era.
        analysis: What was run, to say what the histograms show.
        fits: A fit, or fits by era; "total" is one of all eras together, and so is a single fit
            for several eras. Of an analysis with regions, either of these by region:
            ``{"signal": fit}``, ``{"signal": {"2017B": fit}}``.
        title: The heading; by default the first line of ``text``.
        text: About the analysis, such as the docstring of its file; it may have ``code``, **bold**
            and lists.
        certificate: That of `flavorframe.certify`.

    Raises:
        AnalysisError: Where results, fits and analysis do not belong together.
        RunError: Where the folder cannot be written to.

    Example:
        >>> import tempfile
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> analysis = ff.Analysis(ff.Selection(t).cut("mass", t.mass.between(1.65, 2.01)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     results = analysis.run(ff.catalog(ff.samples.write(folder, fraction=1e-4)))
        ...     ff.report.write(f"{folder}/report.html", results, title="Ds⁺ → φπ⁺").name
        'report.html'
    """
    target = Path(path).expanduser()
    inputs = gather(results, fits, analysis)
    require_folder(target.parent)
    heading, body = title_and_body(text or "")
    if title is not None:
        heading, body = title, text or ""
    template = environment("flavorframe.report").get_template("page.html.j2")
    page = template.render(
        title=heading, text=as_html(body), certificate=certificate, **_content(inputs, analysis)
    )
    write_bytes(target, page.encode())
    return target


def _content(inputs: Inputs, analysis: Analysis | None) -> dict[str, Any]:
    declared = {} if analysis is None else dict(analysis.regions)
    return {
        "inputs": inputs,
        "lead": summary.lead(inputs),
        "missing": {era: summary.missing(result) for era, result in inputs.partial.items()},
        "warnings": {era: result.warnings for era, result in inputs.results.items()},
        "summary_header": summary.header(inputs),
        "summary_rows": summary.rows(inputs),
        "parts": {
            region: _part(part, dict(declared[region].outputs) if declared else {})
            for region, part in inputs.parts.items()
        },
        "links": tables.links(inputs),
        "means": tables.means(inputs),
        "snapshots": tables.snapshots(inputs, analysis),
        "read_events": tables.read_events(inputs),
        "files": tables.files(inputs),
        "most_files": MOST_FILES,
        "timing": tables.timing(inputs),
        "workers": tables.workers(inputs),
        "shares": {era: result.timing.shares() for era, result in inputs.rows.items()},
        "provenance": tables.provenance(inputs),
        "data": tables.as_json(inputs),
    }


def _part(inputs: Inputs, declared: Mapping[str, Declared]) -> dict[str, Any]:
    """Return what the page says of a region, or of the only selection."""
    with cms_style():
        return {
            "inputs": inputs,
            "lead": summary.selected(inputs),
            "selection": tables.selection(inputs),
            "parameters": tables.parameters(inputs),
            "yields": [
                _picture(figure, f"{signal} yield per fb⁻¹ by era")
                for signal, figure in plots.yields_plots(inputs).items()
            ],
            "histograms": {
                key: _histogram_pictures(inputs, key, by_era, declared.get(name))
                for key, name, by_era in plots.views_of(inputs)
            },
            "fits": {
                era: _picture(plots.fit_plot(inputs, era), f"Fit of {era}") for era in inputs.fits
            },
        }


def _histogram_pictures(
    inputs: Inputs, key: str, by_era: Mapping[str, View], declared: Declared | None
) -> list[Picture]:
    pictures = []
    for era in inputs.summed:
        caption = tables.caption(by_era[era], declared)
        figure = plots.histogram_plot(inputs, era, by_era[era])
        pictures.append(_picture(figure, f"Histogram {key} of {era}", caption))
    eras = plots.eras_plot(inputs, {era: by_era[era] for era in inputs.results})
    if eras is not None:
        wide = len(inputs.results) > FEW_ERAS
        text = f"Histogram {key} by era"
        pictures.append(_picture(eras, text, tables.eras_caption(inputs), wide=wide))
    return pictures


def _picture(figure: Figure, text: str, caption: str = "", *, wide: bool = False) -> Picture:
    encoded = base64.b64encode(image(figure)).decode()
    return Picture(f"data:image/png;base64,{encoded}", text, caption, wide)
