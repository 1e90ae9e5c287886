"""Finding the minimum: start values from stages, then MIGRAD, HESSE and, if wanted, MINOS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from flavorframe.errors import FitError
from flavorframe.fit.components import Array
from flavorframe.fit.likelihood import Likelihood, Spectrum
from flavorframe.fit.parameter import FittedParameter
from flavorframe.fit.problems import find_problems
from flavorframe.fit.weighting import corrected_covariance, has_weighted_candidates

# iminuit is imported where it is used: a session that books histograms need not wait for it.
if TYPE_CHECKING:
    from iminuit import Minuit
    from iminuit.cost import ExtendedBinnedNLL

    from flavorframe.fit.stage import Stage


class Minimum(NamedTuple):
    """What was found: the numbers that all results of fits have."""

    fitted: tuple[FittedParameter, ...]
    covariance: Array
    chi2: float
    edm: float
    minimum: float
    problems: tuple[str, ...]


def minimise(likelihood: Likelihood, *, minos: bool = False) -> Minimum:
    """Maximise a likelihood; raise FitError where the data are too few to do so."""
    weighted = has_weighted_candidates(likelihood)
    if minos and weighted:
        raise FitError(
            "MINOS follows the likelihood, which for weighted candidates does not tell errors; "
            "those of HESSE are corrected for the weights: leave out minos=True"
        )
    _require_determined(likelihood)
    minuit = _with_starts(likelihood)
    minuit.migrad()
    minuit.hesse()
    if minos and minuit.valid:
        minuit.minos()
    covariance = _covariance(minuit)
    if weighted:
        covariance = corrected_covariance(likelihood, tuple(minuit.values), covariance)
    fitted = _fitted(likelihood, minuit, covariance if weighted else None)
    return Minimum(
        fitted=fitted,
        covariance=covariance,
        chi2=minuit.fval if likelihood.is_chi2 else likelihood.chi2(tuple(minuit.values)),
        edm=minuit.fmin.edm,
        minimum=minuit.fval,
        problems=find_problems(minuit, likelihood, fitted, covariance),
    )


def _require_determined(likelihood: Likelihood) -> None:
    shapes = sum(not parameter.fixed for parameter in likelihood.parameters.values())
    yields = len(likelihood.names) - len(likelihood.parameters)
    free = yields + shapes - len(likelihood.constraints)
    filled = sum(spectrum.data.worth for spectrum in likelihood.spectra)
    if filled <= free:
        counted = (
            "bins with candidates" if likelihood.is_chi2 else "bins or candidates, by their weights"
        )
        raise FitError(
            f"{counted}: {filled}, too few for the {free} free parameters of the model; "
            "fit more data, or fix parameters with model.change(name, fixed=True)"
        )


def _with_starts(likelihood: Likelihood) -> Minuit:
    """Return Minuit where the stages of the models have put it."""
    if likelihood.is_plain:
        return _staged(likelihood)  # which goes on with the steps that Minuit has found
    minuit = likelihood.minuit()
    for spectrum in reversed(likelihood.spectra):  # what is shared starts as in the first
        if spectrum.model.stages:
            staged = _staged(Likelihood.of(spectrum.model, spectrum.data.bins))
            for name, value in zip(spectrum.names, staged.values, strict=True):
                minuit.values[name] = value
    if not likelihood.is_chi2:
        _start_from_bins(likelihood, minuit)
    return minuit


def _start_from_bins(likelihood: Likelihood, minuit: Minuit) -> None:
    """Move Minuit to where a fit of bins ends, which takes little time for many candidates."""
    rough = likelihood.binned().minuit(starts=tuple(minuit.values))
    rough.migrad()
    if not rough.valid:
        return
    for name in likelihood.names:
        minuit.values[name] = rough.values[name]
        minuit.errors[name] = rough.errors[name]


def _staged(likelihood: Likelihood) -> Minuit:
    """Run the stages of one spectrum's model, on bins."""
    (spectrum,) = likelihood.spectra
    cost = spectrum.poisson_cost()
    minuit = likelihood.minuit(cost)
    _find_start(spectrum, minuit, cost)
    return minuit


def _find_start(spectrum: Spectrum, minuit: Minuit, cost: ExtendedBinnedNLL) -> None:
    """Run the stages: each fits its component over those before, those to come being absent."""
    model, unmasked = spectrum.model, cost.mask
    fixed_for_good = list(minuit.fixed)
    free = {name for name, fixed in zip(model.names, fixed_for_good, strict=True) if not fixed}
    own = {*model.yield_names}
    for stage in model.stages:
        if stage.yield_name in own:
            minuit.values[stage.yield_name] = 0.0
    for stage in model.stages:
        mine = free & model.names_of(stage.component)
        _fit_alone(stage, mine, spectrum, minuit, cost)
        # A shared parameter stays as the first stage that has it found it.
        free -= mine
    cost.mask = unmasked
    minuit.fixed = fixed_for_good


def _fit_alone(
    stage: Stage, free: set[str], spectrum: Spectrum, minuit: Minuit, cost: ExtendedBinnedNLL
) -> None:
    model, data = spectrum.model, spectrum.data.bins
    inside = stage.selects(data.centers) & data.used
    if not data.values[inside].any():
        return
    found = np.diff(model.cumulative(data.edges, *minuit.values))
    excess = (data.values - found)[inside].sum()
    if stage.yield_name in model.yield_names:
        # Never zero: the shape of an absent component has no influence that could be followed.
        minuit.values[stage.yield_name] = max(excess, np.sqrt(abs(data.values[inside].sum()) + 1))
    minuit.fixed = [name not in free for name in model.names]
    if not free:
        return
    cost.mask = inside
    minuit.migrad(iterate=1)


def _fitted(
    likelihood: Likelihood, minuit: Minuit, covariance: Array | None
) -> tuple[FittedParameter, ...]:
    """Return what was fitted, with Minuit's errors or, if given, those of a covariance matrix."""
    errors = list(minuit.errors) if covariance is None else np.sqrt(np.diag(covariance)).tolist()
    found = []
    for parameter, error in zip(minuit.params, errors, strict=True):
        minos: Any = minuit.merrors.get(parameter.name)
        shape = likelihood.parameters.get(parameter.name)
        found.append(
            FittedParameter(
                name=parameter.name,
                value=parameter.value,
                error=0.0 if parameter.is_fixed else error,
                minos=(minos.lower, minos.upper) if minos is not None and minos.is_valid else None,
                limits=(parameter.lower_limit, parameter.upper_limit),
                unit=shape.unit if shape else "",
                fixed=parameter.is_fixed,
            )
        )
    return tuple(found)


def _covariance(minuit: Minuit) -> Array:
    size = len(minuit.values)
    if minuit.covariance is None:
        return np.full((size, size), np.nan)
    return np.array(minuit.covariance, dtype=np.float64)
