"""Signal yields of the eras, yields per luminosity, and their mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from flavorframe._display import with_error
from flavorframe.report.inputs import TOTAL, Inputs

if TYPE_CHECKING:
    from flavorframe.fit import FitResult


class Measured(NamedTuple):
    """A value and its error; as text, with as many digits as the error leaves meaning to.

    >>> str(Measured(1234.4, 56.7) / 4.8)
    '257 ± 12'
    """

    value: float
    error: float

    def __truediv__(self, divisor: float) -> Measured:
        return Measured(self.value / divisor, self.error / divisor)

    def __str__(self) -> str:
        return with_error(self.value, self.error)


class Mean(NamedTuple):
    """The mean of measurements, and the χ² of their being equal."""

    mean: Measured
    chi2: float
    ndf: int


def signal_titles(fits: Iterable[FitResult]) -> dict[str, str]:
    """Return the signal components of all fits: what people call them, by name."""
    return {
        component.name: component.title or component.name
        for fit in fits
        for component in fit.model.components
        if component.kind == "signal"
    }


def yields_of(inputs: Inputs, era: str) -> dict[str, Measured]:
    """Return the signal yields of an era, none where its fit is not valid.

    Without a fit of its own, the sum of all eras has the sum of their yields, if each has them.
    """
    if era == TOTAL and TOTAL not in inputs.fits and inputs.has_several:
        return _summed(yields_of(inputs, each) for each in inputs.results)
    fit = inputs.fits.get(era)
    if fit is None or not fit.valid:
        return {}
    return {name: Measured(*fit.yields[name]) for name in signal_titles([fit])}


def yields_per_luminosity(inputs: Inputs, component: str) -> dict[str, Measured]:
    """Return the yield of a component per fb⁻¹, by era, where fit and luminosity allow it."""
    found = {}
    for era, result in inputs.results.items():
        measured = yields_of(inputs, era).get(component)
        if measured is not None and result.luminosity:
            found[era] = measured / result.luminosity
    return found


def mean_of(measurements: Iterable[Measured]) -> Mean:
    """Return the mean weighted by 1/error².

    >>> mean_of([Measured(10.0, 1.0), Measured(12.0, 1.0)]).chi2
    2.0
    """
    points = list(measurements)
    weights = [1 / point.error**2 for point in points]
    mean = sum(w * point.value for w, point in zip(weights, points, strict=True)) / sum(weights)
    chi2 = sum(((point.value - mean) / point.error) ** 2 for point in points)
    return Mean(Measured(mean, 1 / math.sqrt(sum(weights))), chi2, len(points) - 1)


def _summed(eras: Iterable[Mapping[str, Measured]]) -> dict[str, Measured]:
    """Add the yields of independent fits; those that not every era has are left out."""
    found = list(eras)
    return {
        name: Measured(
            sum(era[name].value for era in found), math.hypot(*(era[name].error for era in found))
        )
        for name in found[0]
        if all(name in era for era in found)
    }
