"""What a report is made of: the results of the eras, their sum, and the fits that go with them."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from flavorframe.errors import AnalysisError, FlavorframeError, did_you_mean
from flavorframe.result import Result

if TYPE_CHECKING:
    from flavorframe.analysis import Analysis
    from flavorframe.fit import FitResult

#: What the sum of all eras is called, among the fits too.
TOTAL = "total"


@dataclass(frozen=True)
class Inputs:
    """Results and fits by era; ``total`` is the sum of the eras, or None and ``no_total`` why.

    A single era is its own sum. A fit called "total" is one of all eras together.
    """

    results: Mapping[str, Result]
    fits: Mapping[str, FitResult]
    total: Result | None
    no_total: str = ""

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
    results: Result | Mapping[str, Result],
    fits: FitResult | Mapping[str, FitResult] | None,
    analysis: Analysis | None = None,
) -> Inputs:
    """Check that results, fits and analysis belong together, and add the results up.

    Raises AnalysisError where they do not, naming the era or the cut.
    """
    eras = {results.dataset.name: results} if isinstance(results, Result) else dict(results)
    if not eras:
        raise AnalysisError("there are no results to report.")
    if len(eras) > 1 and TOTAL in eras:
        raise AnalysisError(f"an era cannot be called {TOTAL!r}: that is the sum of all eras.")
    _require_one_analysis(eras)
    if analysis is not None:
        _require_its_cuts(analysis, next(iter(eras.values())))
    total, no_total = _sum(eras)
    return Inputs(eras, _fits_by_era(fits, eras), total, no_total)


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


def _fits_by_era(
    fits: FitResult | Mapping[str, FitResult] | None, eras: Mapping[str, Result]
) -> dict[str, FitResult]:
    if fits is None:
        return {}
    if not isinstance(fits, Mapping):
        return {next(iter(eras)) if len(eras) == 1 else TOTAL: fits}
    known = [*eras, TOTAL] if len(eras) > 1 else list(eras)
    for name in fits:
        if name not in known:
            raise AnalysisError(
                f"there is a fit of {name!r}, of which there is no result."
                f"{did_you_mean(name, known)} Fits go by {', '.join(map(repr, known))}."
            )
    return {name: fits[name] for name in known if name in fits}


def _require_one_analysis(eras: Mapping[str, Result]) -> None:
    first, *others = eras
    for era in others:
        if _declared(eras[era]) != _declared(eras[first]):
            raise AnalysisError(
                f"the results of {first!r} and {era!r} have different cuts or histograms: run one "
                "analysis on both, or write a report of each."
            )


def _declared(result: Result) -> tuple[Any, ...]:
    cuts = tuple((row.name, row.formula) for row in result.cutflow)
    binning = {
        name: [(axis.label, list(axis.edges)) for axis in histogram.axes]
        for name, histogram in histograms(result).items()
    }
    return cuts, binning


def _require_its_cuts(analysis: Analysis, result: Result) -> None:
    declared = [(step.name, step.formula) for step in analysis.selection.steps]
    applied = [(row.name, row.formula) for row in result.cutflow.rows[1:]]
    if declared != applied:
        names = dict.fromkeys(name for name, _ in set(declared) ^ set(applied))
        which = ", ".join(map(repr, names)) or "their order"
        raise AnalysisError(
            f"the analysis is not the one that gave the results, they differ in {which}: run it "
            "again."
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
