"""The errors of fits to weighted candidates.

A likelihood of weighted candidates has its maximum in the right place, and the wrong width there.
With H the second derivatives of −ln L and D the variance of the first ones, the covariance matrix
is H⁻¹ D H⁻¹, where a candidate of weight w adds w² times the derivatives of its ln density to D.
Source: C. Langenbruch, EPJC 82 (2022) 393.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from flavorframe.fit.components import Array
from flavorframe.fit.likelihood import Likelihood, Spectrum
from flavorframe.fit.unbinned import UnbinnedData

#: Half the distance over which densities are differentiated, in errors of the parameter.
_STEP = 0.01


def has_weighted_candidates(likelihood: Likelihood) -> bool:
    """Whether any spectrum is one of weighted candidates; bins tell their own errors."""
    data = [spectrum.data for spectrum in likelihood.spectra]
    return any(isinstance(d, UnbinnedData) and d.weights is not None for d in data)


def corrected_covariance(
    likelihood: Likelihood, values: Sequence[float], covariance: Array
) -> Array:
    """Return the covariance matrix for weighted candidates, of the inverse of H.

    Args:
        likelihood: What was fitted.
        values: Where its maximum is.
        covariance: H⁻¹, zero for what is fixed; NaN where there is none.
    """
    if not np.isfinite(covariance).all():
        return covariance
    spread = np.zeros_like(covariance)
    errors = np.sqrt(np.abs(np.diag(covariance)))
    for spectrum in likelihood.spectra:
        variances = _variances(spectrum)
        gradients = _gradients(
            lambda *at, s=spectrum: _log_densities(s, likelihood.local(s, at)), values, errors
        )
        spread += (gradients * variances) @ gradients.T
    for name, constraint in likelihood.constraints.items():
        place = likelihood.names.index(name)
        step = _STEP * errors[place]
        slope = constraint.pull(values[place] + step) - constraint.pull(values[place] - step)
        spread[place, place] += (slope / (2 * step)) ** 2
    return covariance @ spread @ covariance


def _variances(spectrum: Spectrum) -> Array:
    """Return the variance of each weight: its square; in bins the sums of these."""
    data = spectrum.data
    if not isinstance(data, UnbinnedData):
        return (data.values if data.variances is None else data.variances)[data.used]
    return np.ones_like(data.masses) if data.weights is None else data.weights**2


def _log_densities(spectrum: Spectrum, values: Sequence[float]) -> Array:
    data, model = spectrum.data, spectrum.model
    if isinstance(data, UnbinnedData):
        densities = model.density(data.masses, *values)
    else:
        densities = np.diff(model.cumulative(data.edges, *values))[data.used]
    logarithms: Array = np.log(np.maximum(densities, np.finfo(np.float64).tiny))
    return logarithms


def _gradients(function: Callable[..., Array], values: Sequence[float], errors: Array) -> Array:
    """Return the derivatives by each parameter, shape (parameters, n); zero for fixed ones."""
    rows = []
    for place, error in enumerate(errors):
        if not error:
            rows.append(np.zeros_like(function(*values)))
            continue
        above, below = list(values), list(values)
        above[place] += _STEP * error
        below[place] -= _STEP * error
        rows.append((function(*above) - function(*below)) / (2 * _STEP * error))
    return np.array(rows)
