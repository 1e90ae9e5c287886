"""The problems of a fit, in sentences. A fit without problems is valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._display import rounded, with_error
from flavorframe.fit.binned import BinnedData, with_unit
from flavorframe.fit.parameter import yield_name

if TYPE_CHECKING:
    from iminuit import Minuit
    from iminuit.util import Param

    from flavorframe.fit.model import MassModel

#: A peak needs a yield of this many times its error before its mean and width mean anything.
SIGNIFICANCE = 3.0

#: A parameter within this fraction of its error from a limit is at the limit; as in iminuit.
NEAR_LIMIT = 0.5


def find_problems(minuit: Minuit, model: MassModel, data: BinnedData) -> tuple[str, ...]:
    """Return a sentence for everything that is wrong with a finished minimisation.

    Minuit's own verdict is not enough: it calls a fit valid whose parameters are at their limits,
    whose peak is a fluctuation, or whose sum of components is negative.
    """
    return (
        *migrad_problems(minuit.fmin),
        *covariance_problems(minuit.fmin),
        *_number_problems(minuit),
        *_peak_problems(minuit, model),
        *_limit_problems(minuit),
        *_expectation_problems(minuit, model, data),
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


def _number_problems(minuit: Minuit) -> list[str]:
    bad = [p.name for p in minuit.params if not np.isfinite([p.value, p.error]).all()]
    if not np.isfinite(minuit.fval):
        bad.append("the likelihood")
    return [f"not a finite number: {', '.join(bad)}"] if bad else []


def _limit_problems(minuit: Minuit) -> list[str]:
    return [
        f"{p.name} = {rounded(p.value, p.error)} is at its limit, [{p.lower_limit:g}, "
        f"{p.upper_limit:g}]: its error and the others cannot be trusted"
        for p in minuit.params
        if not p.is_fixed
        and min(p.value - p.lower_limit, p.upper_limit - p.value) < NEAR_LIMIT * p.error
    ]


def _expectation_problems(minuit: Minuit, model: MassModel, data: BinnedData) -> list[str]:
    expected = np.sum(list(model.expected(data.edges, minuit.values).values()), axis=0)
    rounding = 1e-12 * abs(data.values).sum()
    impossible = (expected < -rounding) | ((expected <= rounding) & (data.values != 0))
    if not impossible.any():
        return []
    where = with_unit(f"{data.centers[impossible][0]:.4g}", model.unit)
    return [f"the model expects no or negative candidates, e.g. at {where}"]


def _peak_problems(minuit: Minuit, model: MassModel) -> list[str]:
    signals = [component for component in model.components if component.kind == "signal"]
    yields = {c.name: minuit.params[yield_name(c.name)] for c in signals}
    strong = [c for c in signals if _is_significant(yields[c.name])]
    # A parameter shared with a strong peak is measured there.
    measured = {parameter.name for c in strong for parameter in c.parameters}
    problems = []
    for component in signals:
        free = [p.name for p in component.parameters if not p.fixed and p.name not in measured]
        if free:
            fitted = yields[component.name]
            problems.append(
                f"no significant {component.name} peak ({with_error(fitted.value, fitted.error)} "
                f"candidates) to measure {' and '.join(free)} on"
            )
    return problems


def _is_significant(fitted: Param) -> bool:
    return bool(fitted.value >= SIGNIFICANCE * fitted.error)


def _minos_problems(minuit: Minuit) -> list[str]:
    failed = [name for name, error in minuit.merrors.items() if not error.is_valid]
    return [f"MINOS found no asymmetric error for {', '.join(failed)}"] if failed else []
