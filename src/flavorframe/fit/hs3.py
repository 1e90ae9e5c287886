"""A fit in HS3, the JSON form of statistical models that RooFit, zfit and pyhf exchange.

Source: HS3, the HEP Statistics Serialization Standard, version 0.2,
https://github.com/hep-statistics-serialization-standard.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe.errors import FitError
from flavorframe.fit.binned import BinnedData
from flavorframe.fit.components import Component, CrystalBall, Exponential, Gaussian
from flavorframe.fit.formula import term_text
from flavorframe.fit.parameter import FittedParameter, Parameter, yield_name

if TYPE_CHECKING:
    from flavorframe.fit.result import FitResult

OBSERVABLE, DOMAIN, POINT, DATA, MODEL = "mass", "default_domain", "default_values", "data", "model"
Json = dict[str, Any]


def hs3(fit: FitResult) -> Json:
    """Return the fit's model, data, limits and fitted values as HS3 has them.

    Names become words of letters, digits and underscores: ``N(D+)`` is ``N_Dp``. Raises FitError
    for components that HS3 has no name for, where two names become one word, and for values or
    limits that are not finite.

    >>> import hist
    >>> from flavorframe.fit import dsphi
    >>> masses = hist.Hist.new.Reg(62, 1.65, 2.01).Int64()
    >>> masses[...] = 100
    >>> content = hs3(dsphi().fit(masses))
    >>> [(entry["name"], entry["type"]) for entry in content["distributions"][:2]]
    [('Ds', 'crystalball_dist'), ('Dp', 'crystalball_dist')]
    """
    if not isinstance(fit.data, BinnedData) or fit.data.gaps:
        raise FitError(
            "only fits of whole histograms are written as HS3, not those of single candidates, nor "
            "those with gaps; fit a histogram, model.fit(h).to_hs3(path)"
        )
    components = fit.model.components
    for component in components:
        _require_plain(component)
    _require_distinct([c.name for c in components] + [p.name for p in fit.fitted])
    _require_finite(fit.fitted)
    scaled = [_scaled(c, p) for c in components for p in c.parameters if _factor(c, p) != 1]
    shapes = [{"name": _word(c.name), **_shape(c)} for c in components]
    mixture = {
        "name": MODEL,
        "type": "mixture_dist",
        "summands": [_word(c.name) for c in components],
        "coefficients": [_word(yield_name(c.name)) for c in components],
        "extended": True,
    }
    return {
        "metadata": {"hs3_version": "0.2", "packages": [{"name": "flavorframe"}]},
        "distributions": [*shapes, mixture],
        "functions": scaled,
        "data": [_data(fit.bins)],
        "domains": [{"name": DOMAIN, "type": "product_domain", "axes": _limits(fit)}],
        "parameter_points": [{"name": POINT, "parameters": _values(fit)}],
        # No "analyses": ROOT 6.40 makes a ModelConfig of one, and then cannot export it again.
        "likelihoods": [{"name": "likelihood", "distributions": [MODEL], "data": [DATA]}],
    }


def _require_distinct(names: list[str]) -> None:
    taken = {OBSERVABLE: "the observable", MODEL: "the sum", DATA: "the data"}
    for name in names:
        word = _word(name)
        if word in taken:
            raise FitError(
                f"{name!r} would be {word!r} in HS3, as {taken[word]} is: choose another name"
            )
        taken[word] = repr(name)


def _require_finite(fitted: Sequence[FittedParameter]) -> None:
    """Refuse NaN and infinity, for which JSON has no number."""
    for parameter in fitted:
        numbers = (parameter.value, *parameter.limits)
        if not all(map(math.isfinite, numbers)):
            value, low, high = numbers
            raise FitError(
                f"{parameter.name} is {value:g} within [{low:g}, {high:g}]: HS3 is JSON, which has "
                "no NaN and no infinity. See the .problems of the fit"
            )


def _require_plain(component: Component) -> None:
    """Refuse expressions of parameters."""
    formulas = [term for term in (component.candidates, *component.arguments) if term is not None]
    for term in formulas:
        if not isinstance(term, Parameter) or component.candidates is not None:
            raise FitError(
                f"component {component.name!r} has an expression, {term_text(term)}, which is not "
                "written as HS3: write a model of parameters alone"
            )


@singledispatch
def _shape(component: Component) -> Json:
    raise FitError(
        f"component {component.name!r} is a {type(component).__name__}, for which HS3 has no "
        "name; it has those of CrystalBall, Gaussian and Exponential"
    )


@_shape.register
def _(component: CrystalBall) -> Json:
    arguments = dict(zip(("m0", "sigma", "alpha", "n"), _arguments(component), strict=True))
    return {"type": "crystalball_dist", "m": OBSERVABLE, **arguments}


@_shape.register
def _(component: Gaussian) -> Json:
    arguments = dict(zip(("mean", "sigma"), _arguments(component), strict=True))
    return {"type": "gaussian_dist", "x": OBSERVABLE, **arguments}


@_shape.register
def _(component: Exponential) -> Json:
    return {"type": "exponential_dist", "x": OBSERVABLE, "c": _arguments(component)[0]}


def _factor(component: Component, parameter: Parameter) -> float:
    """Return what the shape takes the parameter times: an exponential of HS3 is exp(−c·x)."""
    return -parameter.factor if isinstance(component, Exponential) else parameter.factor


def _arguments(component: Component) -> list[str]:
    return [
        _word(p.name) if _factor(component, p) == 1 else _scaled_name(component, p)
        for p in component.parameters
    ]


def _scaled(component: Component, parameter: Parameter) -> Json:
    factors = [_word(parameter.name), _factor(component, parameter)]
    return {"name": _scaled_name(component, parameter), "type": "product", "factors": factors}


def _scaled_name(component: Component, parameter: Parameter) -> str:
    return f"{_word(parameter.name)}_of_{_word(component.name)}"


def _data(data: BinnedData) -> Json:
    entry = {
        "name": DATA,
        "type": "binned",
        "axes": [{"name": OBSERVABLE, **_binning(data)}],
        "contents": data.values.tolist(),
    }
    if data.variances is not None:
        sigma = np.sqrt(data.variances).tolist()
        entry["uncertainty"] = {"type": "gaussian_uncertainty", "correlation": 0, "sigma": sigma}
    return entry


def _binning(data: BinnedData) -> Json:
    low, high, bins = float(data.edges[0]), float(data.edges[-1]), len(data.values)
    if np.allclose(data.edges, np.linspace(low, high, bins + 1), rtol=0, atol=1e-9 * (high - low)):
        return {"min": low, "max": high, "nbins": bins}
    return {"edges": data.edges.tolist()}


def _limits(fit: FitResult) -> list[Json]:
    ends = {OBSERVABLE: (float(fit.bins.edges[0]), float(fit.bins.edges[-1]))}
    ends |= {_word(p.name): p.limits for p in fit.fitted}
    return [{"name": name, "min": low, "max": high} for name, (low, high) in ends.items()]


def _values(fit: FitResult) -> list[Json]:
    found = [
        {"name": _word(p.name), "value": p.value} | ({"const": True} if p.fixed else {})
        for p in fit.fitted
    ]
    middle = float(fit.bins.edges[[0, -1]].mean())
    return [{"name": OBSERVABLE, "value": middle}, *found]


def _word(name: str) -> str:
    """Return a name of letters, digits and underscores only.

    >>> _word("N(D+)"), _word("B0→K*")
    ('N_Dp', 'B0_K')
    """
    spoken = name.replace("+", "p").replace("-", "m")
    return re.sub(r"\W+", "_", spoken, flags=re.ASCII).strip("_")
