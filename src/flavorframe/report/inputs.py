"""What a report is made of: the results of the eras, their sum, and the fits that go with them."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

from flavorframe.errors import AnalysisError, FlavorframeError, did_you_mean
from flavorframe.result import Result

if TYPE_CHECKING:
    from flavorframe.analysis import Analysis
    from flavorframe.fit import FitResult

#: What the sum of all eras is called, among the fits too.
TOTAL = "total"

Fits: TypeAlias = "FitResult | Mapping[str, FitResult | Mapping[str, FitResult]] | None"
"""A fit, fits by era, or of several regions either of these by region."""


@dataclass(frozen=True)
class Inputs:
    """Results and fits by era; ``total`` is the sum of the eras, or None and ``no_total`` why.

    A single era is its own sum. A fit called "total" is one of all eras together. Where there are
    several ``regions``, each has results and fits of its own, and the whole has no fit.
    """

    results: Mapping[str, Result]
    fits: Mapping[str, FitResult]
    total: Result | None
    no_total: str = ""
    regions: Mapping[str, Inputs] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, Inputs]:
        """The inputs of each region by its name; of one selection, these themselves and no name."""
        return dict(self.regions) or {"": self}

    @property
    def all_fits(self) -> list[FitResult]:
        """The fits of all regions and eras."""
        return [fit for part in self.parts.values() for fit in part.fits.values()]

    @property
    def has_several(self) -> bool:
        """Whether there is more than one era."""
        return len(self.results) > 1

    @property
    def summed(self) -> dict[str, Result]:
        """The sum of several eras by the name "total"; where there is none, each era."""
        if not self.has_several or self.total is None:
            return dict(self.results)
        return {TOTAL: self.total}

    @property
    def rows(self) -> dict[str, Result]:
        """The eras and, where there are several that add up, their sum."""
        return {**self.results, **self.summed}

    @property
    def partial(self) -> dict[str, Result]:
        """The eras of which some files could not be read."""
        return {era: result for era, result in self.results.items() if not result.is_complete}


def gather(
    results: Result | Mapping[str, Result], fits: Fits, analysis: Analysis | None = None
) -> Inputs:
    """Check that results, fits and analysis belong together, and add the results up.

    Raises AnalysisError where they do not, naming the era, the region or the cut.
    """
    eras = {results.dataset.name: results} if isinstance(results, Result) else dict(results)
    if not eras:
        raise AnalysisError("there are no results to report.")
    if len(eras) > 1 and TOTAL in eras:
        raise AnalysisError(f"an era cannot be called {TOTAL!r}: that is the sum of all eras.")
    _require_one_analysis(eras)
    first = next(iter(eras.values()))
    if analysis is not None:
        _require_its_cuts(analysis, first)
    total, no_total = _sum(eras)
    if not first.regions:
        return Inputs(eras, _fits_by_era(fits, eras), total, no_total)
    by_region = _fits_by_region(fits, list(first.regions))
    parts = {
        name: Inputs(
            {era: result.region(name) for era, result in eras.items()},
            _fits_by_era(by_region.get(name), eras),
            None if total is None else total.region(name),
            no_total,
        )
        for name in first.regions
    }
    return Inputs(eras, {}, total, no_total, parts)


def histograms(result: Result) -> dict[str, Any]:
    """Return the histograms of entries among the outputs of a result."""
    return {
        name: value
        for name, value in result.outputs.items()
        if hasattr(value, "axes") and value.kind == "COUNT"
    }


def holds_weights(histogram: Any) -> bool:
    """Return whether a histogram holds sums of weights, not counts."""
    return "variance" in (histogram.view().dtype.names or ())


def _fits_by_region(fits: Fits, regions: list[str]) -> Mapping[str, Fits]:
    if fits is None:
        return {}
    if not isinstance(fits, Mapping):
        raise AnalysisError(
            f"the results have regions, {', '.join(regions)}: give the fit by region, as in "
            f"fits={{{regions[0]!r}: fit}}."
        )
    _require_known(fits, regions, "region")
    return fits


def _fits_by_era(fits: Fits, eras: Mapping[str, Result]) -> dict[str, FitResult]:
    if fits is None:
        return {}
    if not isinstance(fits, Mapping):
        return {next(iter(eras)) if len(eras) == 1 else TOTAL: fits}
    known = [*eras, TOTAL] if len(eras) > 1 else list(eras)
    _require_known(fits, known, "era")
    for era, fit in fits.items():
        if isinstance(fit, Mapping):
            raise AnalysisError(
                f"there are fits by name of era {era!r}, and the results have no regions: give one "
                "fit of each era."
            )
    return {era: fits[era] for era in known if era in fits}  # type: ignore[misc]  # checked above


def _require_known(fits: Mapping[str, Any], known: list[str], what: str) -> None:
    for name in fits:
        if name not in known:
            raise AnalysisError(
                f"there is a fit of {name!r}, of which there is no result."
                f"{did_you_mean(name, known)} Fits go by {what}: {', '.join(map(repr, known))}."
            )


def _require_one_analysis(eras: Mapping[str, Result]) -> None:
    first, *others = eras
    for era in others:
        if _declared(eras[era]) != _declared(eras[first]):
            raise AnalysisError(
                f"the results of {first!r} and {era!r} have different cuts or histograms: run one "
                "analysis on both, or write a report of each."
            )


def _declared(result: Result) -> tuple[Any, ...]:
    cuts = {
        region: [(row.name, row.formula) for row in flow]
        for region, flow in result.cutflows.items()
    }
    binning = {
        name: [(axis.label, list(axis)) for axis in histogram.axes]
        for name, histogram in histograms(result).items()
    }
    return cuts, binning


def _require_its_cuts(analysis: Analysis, result: Result) -> None:
    regions, found = dict(analysis.regions), result.cutflows
    if list(regions) != list(found):
        mine, theirs = (", ".join(filter(None, names)) or "none" for names in (regions, found))
        raise AnalysisError(
            f"the analysis is not the one that gave the results, its regions are {mine} and theirs "
            f"{theirs}: run it again."
        )
    for name, region in regions.items():
        declared = [(step.name, step.formula) for step in region.selection.steps]
        applied = [(row.name, row.formula) for row in found[name].rows[1:]]
        if declared != applied:
            names = dict.fromkeys(name for name, _ in set(declared) ^ set(applied))
            which = ", ".join(map(repr, names)) or "their order"
            raise AnalysisError(
                "the analysis is not the one that gave the results, they differ in "
                f"{which}{f' of {name}' if name else ''}: run it again."
            )


def _sum(eras: Mapping[str, Result]) -> tuple[Result | None, str]:
    """Add up what adds up: not the snapshots, which may be files, whose paths differ by era."""
    provenance = next(iter(eras.values())).provenance
    summable = (
        replace(result, outputs=histograms(result), provenance=provenance)
        for result in eras.values()
    )
    try:
        return reduce(operator.add, summable), ""
    except FlavorframeError as error:
        return None, str(error)
