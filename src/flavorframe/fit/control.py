"""Weights of candidates that take the background out of the distribution of another variable.

Source: M. Pivk, F. Le Diberder, NIM A 555 (2005) 356; H. Dembinski, M. Kenzie, C. Langenbruch,
M. Schmelling, NIM A 1040 (2022) 167270.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flavorframe.errors import FitError, did_you_mean, needs
from flavorframe.fit.binned import BinnedData
from flavorframe.fit.components import Array
from flavorframe.fit.likelihood import Likelihood, Spectrum
from flavorframe.fit.unbinned import UnbinnedData, column

if TYPE_CHECKING:
    from flavorframe.fit.result import FitResult

#: In so many parts, of equally many candidates, of the control variable shapes are compared.
_PARTS = 3

#: Shapes that differ between the parts with less than this probability are told.
DEPENDENT = 1e-3

#: A signal of which more than this fraction lies in the sidebands is taken out with the background.
LEAK = 0.02


@dataclass(frozen=True, eq=False, repr=False)
class ControlWeights:
    """Weights of candidates, for histograms of other variables. Look at ``problems`` first.

    ``weights["Ds"]`` has one number for each candidate that was given, zero outside of the range.

    Attributes:
        weights: The weights of each component, shape (n,).
        problems: Why the weights do not do what they should, a sentence each.
    """

    weights: dict[str, Array]
    problems: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether nothing is known against them."""
        return not self.problems

    def require_valid(self) -> ControlWeights:
        """Return these weights if they are valid.

        Raises:
            FitError: If they are not, with the problems.
        """
        if self.valid:
            return self
        raise FitError(f"the weights are not valid: {'; '.join(self.problems)}")

    def __getitem__(self, component: str) -> Array:
        """Return the weights of one component."""
        if component not in self.weights:
            near = did_you_mean(component, self.weights)
            raise FitError(
                f"no weights of {component!r}; there are {', '.join(self.weights)}.{near}"
            )
        return self.weights[component]

    def __repr__(self) -> str:
        sums = ", ".join(f"{name} {found.sum():.1f}" for name, found in self.weights.items())
        told = "".join(f"\n  ✗ {problem}" for problem in self.problems)
        verdict = "valid" if self.valid else "NOT VALID, do not use these weights"
        return f"ControlWeights of {sums}: {verdict}{told}"


def sweights(fit: FitResult, masses: Any, control: Mapping[str, Any]) -> ControlWeights:
    """Return sWeights; arguments and errors are those of `FitResult.sweights`."""
    found, inside = _candidates(fit, masses)
    model, ends = fit.model, fit.model.range
    arguments = {c.name: values for c, _, values in model.evaluated(fit.values)}
    densities = [_density(c.density, ends, arguments[c.name]) for c in model.components]
    yields = [number.value for number in fit.yields.values()]
    functions = _weight_functions(found[inside], densities, yields, ends)
    weights = {}
    for component, function in zip(model.components, functions, strict=True):
        weights[component.name] = np.zeros_like(found)
        weights[component.name][inside] = function(found[inside])
    return ControlWeights(weights, _dependences(fit, found, inside, control))


def sideband_weights(
    fit: FitResult,
    masses: Any,
    signal: tuple[float, float],
    sidebands: Sequence[tuple[float, float]],
    control: Mapping[str, Any],
) -> ControlWeights:
    """Return weights of a subtraction; arguments are those of `FitResult.sideband_weights`."""
    found, inside = _candidates(fit, masses)
    windows = sorted([signal, *sidebands])
    flat = [end for window in windows for end in window]
    if not sidebands or flat != sorted(flat) or len(set(windows)) < len(windows):
        told = ", ".join(f"{low:g}–{high:g}" for low, high in windows)
        raise FitError(f"signal and sidebands must be windows apart from each other, not {told}")
    in_signal = inside & _within(found, [signal])
    beside = inside & _within(found, sidebands)
    problems = list(_dependences(fit, found, inside, control))
    below = [_expected(fit, component.name, [signal]) for component in _of_kind(fit, "background")]
    aside = [_expected(fit, component.name, sidebands) for component in _of_kind(fit, "background")]
    for component in _of_kind(fit, "signal"):
        leaked = _expected(fit, component.name, sidebands)
        total = fit.yields[component.name].value
        if total > 0 and leaked > LEAK * total:
            problems.append(
                f"{leaked / total:.1%} of {component.name} lies in the sidebands, and is "
                "subtracted with the background: move them away from the peak"
            )
    if not sum(aside) > 0:
        raise FitError("the fit has no background in the sidebands, so nothing can be subtracted")
    factor = sum(below) / sum(aside)
    return ControlWeights(
        {"signal": np.where(in_signal, 1.0, np.where(beside, -factor, 0.0))}, tuple(problems)
    )


def _candidates(fit: FitResult, masses: Any) -> tuple[Array, NDArray[np.bool_]]:
    """Return the masses, and which of them are in the range of a fit that must be valid."""
    fit.require_valid()
    if isinstance(fit.data, UnbinnedData) and fit.data.weights is not None:
        raise FitError("candidates that have weights already cannot be weighted once more")
    found = column(masses, "masses")
    low, high = fit.model.range
    inside = (low <= found) & (found <= high)
    if not fit.data.gaps and abs(inside.sum() - fit.data.total) > 0.01 * fit.data.total:
        raise FitError(
            f"{inside.sum()} of the masses are in the range of the fit, to {fit.data.total:.0f} "
            "candidates: give those that were fitted, of the same selection"
        )
    return found, inside


def _density(
    function: Callable[..., Array], ends: tuple[float, float], values: Sequence[float]
) -> Callable[[Array], Array]:
    def density(x: Array) -> Array:
        return function(x, ends, *values)

    return density


def _weight_functions(
    masses: Array,
    densities: Sequence[Callable[[Array], Array]],
    yields: Sequence[float],
    ends: tuple[float, float],
) -> list[Callable[[Array], Array]]:
    """Return a weight function for each component, as the sweights package computes them."""
    try:
        from sweights import Cows
    except ModuleNotFoundError as error:
        raise FitError(needs("fit.sweights", "sweights", "sweights")) from error
    first, *others = densities
    return list(Cows(masses, [first], others, yields=list(yields), range=ends))


def _dependences(
    fit: FitResult, masses: Array, inside: NDArray[np.bool_], control: Mapping[str, Any]
) -> tuple[str, ...]:
    problems = []
    for name, given in control.items():
        values = column(given, f"values of {name}")
        if values.shape != masses.shape:
            raise FitError(f"there are {len(masses)} masses and {len(values)} values of {name}")
        problems += _dependence(fit, masses[inside], values[inside], name)
    return tuple(problems)


def _dependence(fit: FitResult, masses: Array, control: Array, name: str) -> list[str]:
    """Compare fits of one shape for all, and of one for each part of the control variable.

    Source of the test: S. S. Wilks, Ann. Math. Stat. 9 (1938) 60.
    """
    from scipy.special import chdtrc

    model = fit.model
    shaping = {leaf.name for c in model.components for term in c.arguments for leaf in term.leaves}
    free = [n for n in model.parameters if n in shaping and not model.parameters[n].fixed]
    if not free:
        return [f"whether the mass depends on {name} cannot be told: no shape was fitted"]
    thirds = np.quantile(control, np.linspace(0, 1, _PARTS + 1)[1:-1])
    part = np.searchsorted(thirds, control)
    edges = fit.bins.edges
    histograms = [
        BinnedData(edges, np.histogram(masses[part == i], edges)[0].astype(np.float64))
        for i in range(_PARTS)
    ]
    spectra = tuple(
        Spectrum(
            str(i), model, data, tuple(n if n in shaping else f"{n}[{i}]" for n in model.names)
        )
        for i, data in enumerate(histograms)
    )
    parameters = {
        called: replace(model.parameters[own], name=called)
        for s in spectra
        for own, called in zip(model.names, s.names, strict=True)
        if own in model.parameters
    }
    together = Likelihood(spectra, parameters).minuit().migrad()
    apart = [Likelihood.of(model, data).minuit().migrad() for data in histograms]
    rise = max(together.fval - sum(one.fval for one in apart), 0.0)
    probability = float(chdtrc((_PARTS - 1) * len(free), rise))
    if probability > DEPENDENT:
        return []
    spread = {n: np.ptp([m.values[n] for m in apart]) / together.errors[n] for n in free}
    most = max(spread, key=spread.__getitem__)
    return [
        f"the mass depends on {name}: fits in {_PARTS} parts of it differ with p = "
        f"{probability:.1g}, most in {most}; the weights hold only for variables that the mass is "
        "independent of"
    ]


def _within(masses: Array, windows: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    inside = np.zeros(len(masses), dtype=np.bool_)
    for low, high in windows:
        inside |= (low <= masses) & (masses < high)
    return inside


def _expected(fit: FitResult, component: str, windows: Sequence[tuple[float, float]]) -> float:
    """Return the candidates of a component that the fit expects in windows of mass."""
    low, high = fit.model.range
    if any(begin < low or end > high for begin, end in windows):
        raise FitError(f"signal and sidebands must lie in the range of the fit, {low:g}–{high:g}")
    ends = [low, *sorted(end for window in windows for end in window), high]
    inside = fit.model.expected(np.array(ends), fit.values)[component]
    return float(inside[1::2].sum())


def _of_kind(fit: FitResult, kind: str) -> list[Any]:
    return [component for component in fit.model.components if component.kind == kind]
