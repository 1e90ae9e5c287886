"""The fits that commands make: one model, fitted to a histogram of each era."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flavorframe.errors import AnalysisError, did_you_mean

if TYPE_CHECKING:
    from flavorframe.fit import FitResult, MassModel
    from flavorframe.result import Results


def mass_model(name: str) -> MassModel:
    """Return the mass model of a name; raises AnalysisError where there is none."""
    import flavorframe as ff

    models = {"dsphi": ff.fit.dsphi}
    if name not in models:
        raise AnalysisError(f"there is no mass model {name!r}.{did_you_mean(name, models)}")
    return models[name]()


def fit_all(
    results: Results, models: Mapping[str, MassModel], *, minos: bool = False
) -> dict[str, FitResult]:
    """Fit the histogram that has a model, in each era."""
    if not models:
        return {}
    histogram, model = next(iter(models.items()))
    return {
        era: model.fit(result[histogram], minos=minos, luminosity=result.luminosity)
        for era, result in results.items()
    }
