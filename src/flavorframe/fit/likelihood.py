"""The likelihood of one or several spectra: what Minuit minimises, and what it is told to start.

A value is −2 ln L, so that a difference of one is an error, and for bins χ² where they hold more
than a few candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from flavorframe.errors import FitError
from flavorframe.fit.binned import BinnedData
from flavorframe.fit.parameter import Constraint, Parameter, yield_name
from flavorframe.fit.unbinned import Data, UnbinnedData

# iminuit is imported where it is used: a session that books histograms need not wait for it.
if TYPE_CHECKING:
    from iminuit import Minuit
    from iminuit.cost import ExtendedBinnedNLL

    from flavorframe.fit.model import MassModel

Cost = Callable[..., float]

#: A template bin that is known this much better than it is filled is taken as exact.
_EXACT = 1e8


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A model on its data, and the names that its yields and parameters have in the fit.

    Args:
        name: What it is called among others; empty for a spectrum alone.
        model: The model.
        data: Histogram or candidates.
        names: The names of the fit for each of ``model.names``.
    """

    name: str
    model: MassModel
    data: Data
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        for component in self.model.components:
            if component.inexact and isinstance(self.data, UnbinnedData):
                raise FitError(
                    f"the bins of the template {component.name!r} have errors, which an unbinned "
                    "fit cannot take: fit a histogram of the same bins, or make the template with "
                    "errors=False"
                )

    @cached_property
    def cost(self) -> Cost:
        """−2 ln L of the values of ``model.names``."""
        if isinstance(self.data, UnbinnedData):
            return _unbinned_cost(self.model, self.data)
        return self.binned_cost()

    def binned_cost(self) -> Cost:
        """−2 ln L of the values in bins, relative to that of the data themselves: χ²."""
        if any(component.inexact for component in self.model.components):
            return _template_cost(self.model, self.data.bins)
        cost: Cost = self.poisson_cost()
        return cost

    def poisson_cost(self) -> ExtendedBinnedNLL:
        """As `binned_cost`, without errors of templates; its ``mask`` can be set."""
        from iminuit.cost import ExtendedBinnedNLL

        bins, model = self.data.bins, self.model
        cost = ExtendedBinnedNLL(bins.for_cost, bins.edges, model.cumulative, name=model.names)
        cost.mask = bins.used if bins.gaps else None
        return cost

    def called(self, name: str) -> str:
        """Return what a yield or parameter of the model is called in the fit."""
        return self.names[self.model.names.index(name)]

    @property
    def yield_limits(self) -> dict[str, tuple[float, float]]:
        """How far each yield may go, by its name in the model."""
        total = self.whole
        # A signal may fluctuate below zero; cut off there, the mean of many fits would be biased.
        return {
            yield_name(c.name): (-total if c.kind == "signal" else 0.0, 2 * total)
            for c in self.model.components
            if c.candidates is None
        }

    @property
    def whole(self) -> float:
        """The candidates in the range, and as many more as there may be in its gaps."""
        return self.data.total / (self.data.bins.covered if self.data.gaps else 1.0)


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The likelihood of all spectra of a fit, with the constraints of the parameters.

    Args:
        spectra: What is fitted, at least one.
        parameters: The parameters of all models, by the names they have in the fit.
    """

    spectra: tuple[Spectrum, ...]
    parameters: dict[str, Parameter]

    #: By how much the value grows at one error from its minimum, as Minuit asks for it.
    errordef: ClassVar[float] = 1.0

    @classmethod
    def of(cls, model: MassModel, data: Data) -> Likelihood:
        """Return the likelihood of one spectrum."""
        return cls((Spectrum("", model, data, model.names),), model.parameters)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all that is fitted: yields, then parameters."""
        yields = [name for s in self.spectra for name in s.names if name not in self.parameters]
        return (*dict.fromkeys(yields), *self.parameters)

    @cached_property
    def constraints(self) -> dict[str, Constraint]:
        """The constraints of parameters that are fitted, by name."""
        free = {name: p for name, p in self.parameters.items() if not p.fixed}
        return {name: p.constraint for name, p in free.items() if p.constraint is not None}

    @property
    def is_chi2(self) -> bool:
        """Whether its value is a χ²: all spectra are binned."""
        return all(isinstance(s.data, BinnedData) for s in self.spectra)

    def binned(self) -> Likelihood:
        """Return the likelihood of the same data in bins."""
        return replace(self, spectra=tuple(replace(s, data=s.data.bins) for s in self.spectra))

    def local(self, spectrum: Spectrum, values: Sequence[float]) -> list[float]:
        """Return the values of one spectrum's model, of those of the fit."""
        return [values[i] for i in self._places[spectrum.name]]

    def __call__(self, *values: float) -> float:
        """Return −2 ln L of the values, in the order of ``names``."""
        total = sum(s.cost(*self.local(s, values)) for s in self.spectra)
        return float(total + self.penalty(values))

    def penalty(self, values: Sequence[float]) -> float:
        """Return what the constraints add."""
        known = dict(zip(self.names, values, strict=True))
        return sum(c.penalty(known[name]) for name, c in self.constraints.items())

    def chi2(self, values: Sequence[float]) -> float:
        """Return χ² of the bins and the constraints; unbinned data have bins for that."""
        binned = sum(s.binned_cost()(*self.local(s, values)) for s in self.spectra)
        return float(binned + self.penalty(values))

    @property
    def is_plain(self) -> bool:
        """Whether it is that of one histogram alone, which is no more than counts in bins."""
        first = self.spectra[0]
        return (
            len(self.spectra) == 1
            and self.is_chi2
            and not self.constraints
            and not any(component.inexact for component in first.model.components)
        )

    def minuit(self, cost: Cost | None = None, starts: Sequence[float] | None = None) -> Minuit:
        """Return Minuit with limits set, and what is fixed; it minimises this, or a ``cost``."""
        from iminuit import Minuit

        begin = self._starts() if starts is None else starts
        minuit = Minuit(cost or self, *begin, name=self.names)
        for name, limits in self._yield_limits.items():
            minuit.limits[name] = limits
        for name, parameter in self.parameters.items():
            minuit.limits[name] = parameter.limits
            minuit.fixed[name] = parameter.fixed
        return minuit

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        where = {name: place for place, name in enumerate(self.names)}
        return {s.name: [where[name] for name in s.names] for s in self.spectra}

    @property
    def _yield_limits(self) -> dict[str, tuple[float, float]]:
        found: dict[str, tuple[float, float]] = {}
        for spectrum in self.spectra:
            named = dict(zip(spectrum.model.names, spectrum.names, strict=True))
            for name, limits in spectrum.yield_limits.items():
                found.setdefault(named[name], limits)
        return found

    def _starts(self) -> list[float]:
        shares: dict[str, float] = {}
        for s in self.spectra:
            share = s.whole / len(s.model.components)
            shares |= {name: share for name in s.names if name not in shares}
        return [
            self.parameters[name].start if name in self.parameters else shares[name]
            for name in self.names
        ]


def _unbinned_cost(model: MassModel, data: UnbinnedData) -> Cost:
    """Return −2 ln L of candidates; one that the model has no room for makes it huge.

    That of iminuit leaves such a candidate out, has no weights, and takes twice as long.
    """
    ends, weights = data.segments, data.weights

    def cost(*values: float) -> float:
        inside = np.diff(model.cumulative(ends, *values))[::2].sum()
        densities = model.density(data.masses, *values)
        logs = np.log(np.maximum(densities, np.finfo(np.float64).tiny))
        return 2 * float(inside - (logs if weights is None else weights * logs).sum())

    return cost


def _template_cost(model: MassModel, bins: BinnedData) -> Cost:
    """Return the likelihood of bins whose expectation has errors, those of templates."""
    from iminuit.cost import poisson_chi2, template_chi2_da

    scale, used = bins.scale, bins.used
    counts = (bins.values * scale)[used]

    def cost(*values: float) -> float:
        expected = (np.diff(model.cumulative(bins.edges, *values)) * scale)[used]
        variances: Any = model.bin_variances(bins.edges, *values)
        variances = (variances * scale**2)[used]
        # Nor has an expectation below zero, which the likelihood then refuses, errors of its own.
        known = (variances * _EXACT <= expected**2) | (expected <= 0)
        possible = np.maximum(expected[known], np.finfo(np.float64).tiny)
        exact = poisson_chi2(counts[known], possible)
        uncertain = ~known
        return float(
            exact + template_chi2_da(counts[uncertain], expected[uncertain], variances[uncertain])
        )

    return cost
