"""The problems of a fit, in sentences. A fit without problems is valid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._display import rounded, with_error
from flavorframe.fit.binned import with_unit
from flavorframe.fit.components import Array
from flavorframe.fit.likelihood import Likelihood, Spectrum
from flavorframe.fit.parameter import FittedParameter, Yield
from flavorframe.fit.unbinned import UnbinnedData

if TYPE_CHECKING:
    from iminuit import Minuit

#: A peak needs a yield of this many times its error before its mean and width mean anything.
SIGNIFICANCE = 3.0

#: A parameter within this fraction of its error from a limit is at the limit; as in iminuit.
NEAR_LIMIT = 0.5

#: A component of which less than this fraction is outside of gaps cannot be fitted.
SEEN = 0.02

#: A constrained parameter that is more than this many errors off is not what was measured.
TENSION = 4.0


def find_problems(
    minuit: Minuit,
    likelihood: Likelihood,
    fitted: Sequence[FittedParameter],
    covariance: Array,
) -> tuple[str, ...]:
    """Return a sentence for everything that is wrong with a finished minimisation.

    Minuit's own verdict is not enough: it calls a fit valid whose parameters are at their limits,
    whose peak is a fluctuation, or whose sum of components is negative.
    """
    values = [p.value for p in fitted]
    spectra = likelihood.spectra
    return (
        *migrad_problems(minuit.fmin),
        *covariance_problems(minuit.fmin),
        *_number_problems(minuit.fval, fitted),
        *_peak_problems(likelihood, fitted, covariance),
        *(p for s in spectra for p in _shape_problems(s, likelihood.local(s, values))),
        *_limit_problems(fitted),
        *(p for s in spectra for p in _gap_problems(s, likelihood.local(s, values))),
        *(p for s in spectra for p in _expectation_problems(s, likelihood.local(s, values))),
        *_constraint_problems(likelihood, fitted),
        *_minos_problems(minuit),
    )


def migrad_problems(fmin: Any) -> list[str]:
    """Return what is wrong with the minimum, from `iminuit.util.FMin`.

    >>> from types import SimpleNamespace
    >>> fmin = SimpleNamespace(is_valid=False, is_above_max_edm=True, edm=1267.7, edm_goal=0.0002)
    >>> migrad_problems(fmin)
    ['MIGRAD did not converge: its distance to the minimum, EDM = 1268, should be below 0.0002']
    """
    if fmin.is_valid:
        return []
    if fmin.is_above_max_edm:
        return [
            f"MIGRAD did not converge: its distance to the minimum, EDM = {fmin.edm:.4g}, "
            f"should be below {fmin.edm_goal:.2g}"
        ]
    if fmin.has_reached_call_limit:
        return [f"MIGRAD did not converge within its limit of calls ({fmin.nfcn} used)"]
    return ["MIGRAD did not find a minimum"]


def covariance_problems(fmin: Any) -> list[str]:
    """Return what is wrong with the errors, from `iminuit.util.FMin`."""
    if not fmin.has_covariance or fmin.hesse_failed:
        return ["HESSE failed: there is no covariance matrix, the errors mean nothing"]
    if fmin.has_made_posdef_covar:
        return ["the covariance matrix was forced to be positive-definite: the errors are wrong"]
    if not fmin.has_posdef_covar:
        return ["the covariance matrix is not positive-definite: the errors are wrong"]
    if not fmin.has_accurate_covar:
        return ["the covariance matrix is only approximate: the errors may be wrong"]
    return []


def _number_problems(minimum: float, fitted: Sequence[FittedParameter]) -> list[str]:
    bad = [p.name for p in fitted if not np.isfinite([p.value, p.error]).all()]
    if not np.isfinite(minimum):
        bad.append("the likelihood")
    return [f"not a finite number: {', '.join(bad)}"] if bad else []


def _limit_problems(fitted: Sequence[FittedParameter]) -> list[str]:
    return [
        f"{p.name} = {rounded(p.value, p.error)} is at its limit, [{p.limits[0]:g}, "
        f"{p.limits[1]:g}]: its error and the others cannot be trusted"
        for p in fitted
        if not p.fixed and min(p.value - p.limits[0], p.limits[1] - p.value) < NEAR_LIMIT * p.error
    ]


def _expectation_problems(spectrum: Spectrum, values: Sequence[float]) -> list[str]:
    model, data = spectrum.model, spectrum.data
    if isinstance(data, UnbinnedData):
        places, expected = data.masses, model.density(data.masses, *values)
        impossible = ~(expected > 0)
    else:
        places, expected = data.centers, np.diff(model.cumulative(data.edges, *values))
        rounding = 1e-12 * abs(data.values).sum()
        impossible = (expected < -rounding) | ((expected <= rounding) & (data.values != 0))
        impossible &= data.used
    if not impossible.any():
        return []
    where = with_unit(f"{places[impossible][0]:.4g}", model.unit)
    return [f"the model expects no or negative candidates, e.g. at {where}{_of(spectrum)}"]


def _gap_problems(spectrum: Spectrum, values: Sequence[float]) -> list[str]:
    """Name components whose candidates nearly all lie where nothing is fitted."""
    bins, model = spectrum.data.bins, spectrum.model
    if not bins.gaps:
        return []
    free = {c.name for c in model.components if c.candidates is None}
    expected = {
        name: abs(counts)
        for name, counts in model.expected(bins.edges, values).items()
        if name in free
    }
    seen = {name: n[bins.used].sum() / n.sum() if n.sum() else 0.0 for name, n in expected.items()}
    return [
        f"{name} lies in the gaps of the fit, but for {fraction:.1%}: nothing there tells how many "
        f"candidates it has{_of(spectrum)}; leave it out of the model, model.only(...)"
        for name, fraction in seen.items()
        if fraction < SEEN
    ]


def _constraint_problems(likelihood: Likelihood, fitted: Sequence[FittedParameter]) -> list[str]:
    found = {p.name: p.value for p in fitted}
    pulls = {name: c.pull(found[name]) for name, c in likelihood.constraints.items()}
    return [
        f"{name} is {pull:+.1f} errors from what it is constrained to, "
        f"{with_error(likelihood.constraints[name].value, likelihood.constraints[name].error)}: "
        "the data contradict it"
        for name, pull in pulls.items()
        if abs(pull) > TENSION
    ]


def _peak_problems(
    likelihood: Likelihood, fitted: Sequence[FittedParameter], covariance: Array
) -> list[str]:
    yields = {s.name: yields_of(s, likelihood, fitted, covariance) for s in likelihood.spectra}
    signals = [(s, c) for s in likelihood.spectra for c in s.model.components if c.kind == "signal"]
    # A parameter shared with a strong peak is measured there, also with that of another spectrum;
    # one that is constrained is measured elsewhere.
    measured = {*likelihood.constraints}
    for spectrum, component in signals:
        if _is_significant(yields[spectrum.name][component.name]):
            measured |= {spectrum.called(parameter.name) for parameter in component.parameters}
    problems = []
    for spectrum, component in signals:
        shaping = dict.fromkeys(leaf for term in component.arguments for leaf in term.leaves)
        free = [p.name for p in shaping if not p.fixed and spectrum.called(p.name) not in measured]
        if free:
            found = with_error(*yields[spectrum.name][component.name])
            problems.append(
                f"no significant {component.name} peak ({found} candidates) to measure "
                f"{' and '.join(dict.fromkeys(free))} on{_of(spectrum)}"
            )
    return problems


def _shape_problems(spectrum: Spectrum, values: Sequence[float]) -> list[str]:
    model = spectrum.model
    return [
        f"{problem}{_of(spectrum)}"
        for component, _, arguments in model.evaluated(values)
        for problem in component.problems(model.range, *arguments)
    ]


def yields_of(
    spectrum: Spectrum,
    likelihood: Likelihood,
    fitted: Sequence[FittedParameter],
    covariance: Array,
) -> dict[str, Yield]:
    """Return the candidates of each component of a spectrum, with propagated errors."""
    values = likelihood.local(spectrum, [p.value for p in fitted])
    errors = likelihood.local(spectrum, [p.error for p in fitted])
    places = [likelihood.names.index(name) for name in spectrum.names]
    return spectrum.model.yields(values, errors, covariance[np.ix_(places, places)])


def _is_significant(found: Yield) -> bool:
    return found.value >= SIGNIFICANCE * found.error


def _of(spectrum: Spectrum) -> str:
    return f" in {spectrum.name}" if spectrum.name else ""


def _minos_problems(minuit: Minuit) -> list[str]:
    failed = [name for name, error in minuit.merrors.items() if not error.is_valid]
    return [f"MINOS found no asymmetric error for {', '.join(failed)}"] if failed else []
