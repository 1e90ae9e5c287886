"""Finding the minimum: start values from stages, then MIGRAD, HESSE and, if wanted, MINOS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flavorframe.errors import FitError
from flavorframe.fit.binned import BinnedData
from flavorframe.fit.components import Array
from flavorframe.fit.parameter import FittedParameter, yield_name
from flavorframe.fit.problems import find_problems
from flavorframe.fit.result import FitResult

# iminuit is imported where it is used: a session that books histograms need not wait for it.
if TYPE_CHECKING:
    from iminuit import Minuit
    from iminuit.cost import ExtendedBinnedNLL
    from iminuit.util import Param

    from flavorframe.fit.model import MassModel, Stage


def fit_data(
    model: MassModel,
    data: BinnedData,
    *,
    minos: bool = False,
    luminosity: float | None = None,
    label: str = "",
) -> FitResult:
    """Fit a model to binned data on its range; arguments and errors are those of `MassModel.fit`.

    >>> from flavorframe.fit import dsphi
    >>> data = BinnedData(np.linspace(1.65, 2.01, 63), np.full(62, 100.0))
    >>> fit_data(dsphi(), data).valid
    False
    """
    _require_determined(model, data)
    cost = _cost(model, data)
    minuit = _minuit(model, data, cost)
    _find_start(model, data, minuit, cost)
    minuit.migrad()
    minuit.hesse()
    if minos and minuit.valid:
        minuit.minos()
    return FitResult(
        model=model,
        data=data,
        fitted=tuple(_fitted(parameter, minuit, model) for parameter in minuit.params),
        covariance=_covariance(minuit),
        chi2=minuit.fval,
        edm=minuit.fmin.edm,
        problems=find_problems(minuit, model, data),
        luminosity=luminosity,
        label=label,
    )


def _require_determined(model: MassModel, data: BinnedData) -> None:
    shapes = sum(not parameter.fixed for parameter in model.parameters.values())
    free, filled = len(model.components) + shapes, np.count_nonzero(data.values)
    if filled <= free:
        raise FitError(
            f"bins with candidates: {filled}, too few for the {free} free parameters of the model; "
            "fit more data, or fix parameters with model.change(name, fixed=True)"
        )


def _cost(model: MassModel, data: BinnedData) -> ExtendedBinnedNLL:
    from iminuit.cost import ExtendedBinnedNLL

    return ExtendedBinnedNLL(data.for_cost, data.edges, model.cumulative, name=model.names)


def _minuit(model: MassModel, data: BinnedData, cost: ExtendedBinnedNLL) -> Minuit:
    from iminuit import Minuit

    total = float(data.values.sum())
    equal_shares = [total / len(model.components)] * len(model.components)
    starts = [parameter.start for parameter in model.parameters.values()]
    minuit = Minuit(cost, *equal_shares, *starts)
    for component in model.components:
        # A signal may fluctuate below zero; cut off there, the mean of many fits would be biased.
        lowest = -total if component.kind == "signal" else 0.0
        minuit.limits[yield_name(component.name)] = (lowest, 2 * total)
    for parameter in model.parameters.values():
        minuit.limits[parameter.name] = parameter.limits
        minuit.fixed[parameter.name] = parameter.fixed
    return minuit


def _find_start(
    model: MassModel, data: BinnedData, minuit: Minuit, cost: ExtendedBinnedNLL
) -> None:
    """Run the stages: each fits its component over those before, those to come being absent."""
    fixed_for_good = list(minuit.fixed)
    free = {name for name, fixed in zip(model.names, fixed_for_good, strict=True) if not fixed}
    for stage in model.stages:
        minuit.values[stage.yield_name] = 0.0
    for stage in model.stages:
        mine = free & model.names_of(stage.component)
        _fit_alone(stage, mine, model, data, minuit, cost)
        # A shared parameter stays as the first stage that has it found it.
        free -= mine
    cost.mask = None
    minuit.fixed = fixed_for_good


def _fit_alone(
    stage: Stage,
    free: set[str],
    model: MassModel,
    data: BinnedData,
    minuit: Minuit,
    cost: ExtendedBinnedNLL,
) -> None:
    inside = stage.selects(data.centers)
    if not data.values[inside].any():
        return
    found = np.diff(model.cumulative(data.edges, *minuit.values))
    excess = (data.values - found)[inside].sum()
    # Never zero: the shape of an absent component has no influence that could be followed.
    minuit.values[stage.yield_name] = max(excess, np.sqrt(abs(data.values[inside].sum()) + 1))
    minuit.fixed = [name not in free for name in model.names]
    cost.mask = inside
    minuit.migrad(iterate=1)


def _fitted(parameter: Param, minuit: Minuit, model: MassModel) -> FittedParameter:
    minos = minuit.merrors.get(parameter.name)
    shape = model.parameters.get(parameter.name)
    return FittedParameter(
        name=parameter.name,
        value=parameter.value,
        error=0.0 if parameter.is_fixed else parameter.error,
        minos=(minos.lower, minos.upper) if minos is not None and minos.is_valid else None,
        limits=(parameter.lower_limit, parameter.upper_limit),
        unit=shape.unit if shape else "",
        fixed=parameter.is_fixed,
    )


def _covariance(minuit: Minuit) -> Array:
    size = len(minuit.values)
    if minuit.covariance is None:
        return np.full((size, size), np.nan)
    return np.array(minuit.covariance, dtype=np.float64)
