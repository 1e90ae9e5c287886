"""The fits that commands make: one model, fitted to a histogram of each era."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from flavorframe._planning.plan import region_of
from flavorframe.errors import AnalysisError, did_you_mean

if TYPE_CHECKING:
    from flavorframe.fit import FitResult, MassModel
    from flavorframe.result import Result, Results

Fits: TypeAlias = "dict[str, dict[str, FitResult]]"
"""Fits by region and era; the name of the region is empty where there are none."""


def mass_model(name: str) -> MassModel:
    """Return the mass model of a name; raises AnalysisError where there is none."""
    import flavorframe as ff

    models = {"dsphi": ff.fit.dsphi}
    if name not in models:
        raise AnalysisError(f"there is no mass model {name!r}.{did_you_mean(name, models)}")
    return models[name]()


def fit_all(results: Results, models: Mapping[str, MassModel], *, minos: bool = False) -> Fits:
    """Fit the histograms that have a model, in each era: nominally, where there are variations."""
    fits: Fits = {}
    for name, model in models.items():
        fits[_region_of(name, results)] = {
            era: model.fit(_histogram(result, name), minos=minos, luminosity=result.luminosity)
            for era, result in results.items()
        }
    return fits


def by_region(fits: Fits) -> Fits | dict[str, FitResult]:
    """Return fits as reports take them: by era alone where there are no regions."""
    return fits.get("", fits)


def _region_of(histogram: str, results: Results) -> str:
    regions = next(iter(results.values())).regions
    return region_of(histogram, regions)


def _histogram(result: Result, name: str) -> Any:
    from flavorframe.report.views import views

    found = {
        key: view.histogram
        for output, value in result.outputs.items()
        for key, view in views(output, value).items()
        if hasattr(view.histogram, "axes")
    }
    if name not in found:
        raise AnalysisError(
            f"There is no histogram {name!r} to fit.{did_you_mean(name, found)} There are "
            f"{', '.join(found) or 'none'}."
        )
    return found[name]
