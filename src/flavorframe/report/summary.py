"""The summary of a report: a sentence, and a row of numbers for each era."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flavorframe._display import UNDEFINED
from flavorframe.report.inputs import TOTAL, Inputs
from flavorframe.report.yields import signal_titles, yields_of
from flavorframe.result.failures import failures_summary

if TYPE_CHECKING:
    from flavorframe.result import Result


@dataclass(frozen=True)
class SummaryRow:
    """A region and an era in the summary.

    ``missing`` says which data could not be read, ``problems`` what is wrong with the fit; both are
    empty when all is well.
    """

    region: str
    era: str
    cells: tuple[str, ...]
    missing: str
    fit: str
    problems: tuple[str, ...]


def lead(inputs: Inputs) -> str:
    """Return the whole report in one sentence."""
    if inputs.total is None:
        return f"{', '.join(inputs.results)}: see the summary."
    total = inputs.total
    eras = f"{len(inputs.results)} eras" if inputs.has_several else next(iter(inputs.results))
    luminosity = "" if total.luminosity is None else f", {total.luminosity:.4g} fb⁻¹"
    selected = ", ".join(
        f"{flow[-1].candidates:,} candidates selected{f' in {region}' if region else ''}"
        for region, flow in total.cutflows.items()
    )
    return f"{eras}{luminosity}: {total.events:,} events were read and {selected}."


def selected(part: Inputs) -> str:
    """Return how many candidates a region has, and how many each of its categories."""
    if part.total is None:
        return ""
    flow = part.total.cutflow
    last = flow[-1]
    by_category = zip(flow.categories, last.categories, strict=False)  # then those in several
    counts = ", ".join(f"{count:,} in {name}" for name, count in by_category)
    return (
        f"{last.candidates:,} candidates in {last.events:,} events selected"
        f"{f': {counts}' if counts else ''}."
    )


def missing(result: Result) -> str:
    """Return which data could not be read; an empty string when nothing is missing."""
    if result.is_complete:
        return ""
    read = f"about {100 * result.fraction:.3g} % of the data were read"
    return f"{failures_summary(result.failures)}; {read}"


def header(inputs: Inputs) -> tuple[str, ...]:
    """Return the names of the summary's columns of numbers."""
    weights = ["Σw candidates"] if _is_weighted(inputs) else []
    signals = [
        column
        for name in signal_titles(inputs.all_fits)
        for column in (f"N({name})", f"N({name}) / fb⁻¹")
    ]
    quality = ["χ²/ndf"] if inputs.all_fits else []
    return ("events", "candidates", *weights, "luminosity [fb⁻¹]", *signals, *quality)


def rows(inputs: Inputs) -> list[SummaryRow]:
    """Return a row for each era, and for their sum, of each region."""
    return [_row(inputs, region, era) for region, part in inputs.parts.items() for era in part.rows]


def _row(inputs: Inputs, region: str, era: str) -> SummaryRow:
    part = inputs.parts[region]
    result, fit = part.rows[era], part.fits.get(era)
    cells = tuple(_cells(inputs, part, era))
    gap = missing(result)
    if fit is None:
        return SummaryRow(region, era, cells, gap, _no_fit(part, era), ())
    quality = "valid" if fit.valid else "not valid"
    return SummaryRow(region, era, cells, gap, quality, fit.problems)


def _no_fit(inputs: Inputs, era: str) -> str:
    if era != TOTAL or not inputs.has_several:
        return "no fit"
    return "sum of the fits" if yields_of(inputs, era) else "not all valid"


def _cells(inputs: Inputs, part: Inputs, era: str) -> Iterator[str]:
    result = part.rows[era]
    last = result.cutflow[-1]
    yield f"{result.events:,}"
    yield f"{last.candidates:,}"
    if _is_weighted(inputs):
        weights = last.sumw_candidates
        yield UNDEFINED if weights is None else f"{weights:,.6g}"
    luminosity = result.luminosity
    yield UNDEFINED if luminosity is None else f"{luminosity:.4g}"
    yields = yields_of(part, era)
    for name in signal_titles(inputs.all_fits):
        found = yields.get(name)
        yield UNDEFINED if found is None else str(found)
        yield str(found / luminosity) if found is not None and luminosity else UNDEFINED
    if inputs.all_fits:
        fit = part.fits.get(era)
        yield UNDEFINED if fit is None else f"{fit.chi2:.1f}/{fit.ndf}"


def _is_weighted(inputs: Inputs) -> bool:
    first = next(iter(inputs.results.values()))
    return any(flow.weighted for flow in first.cutflows.values())
