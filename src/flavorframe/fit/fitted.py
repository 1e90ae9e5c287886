"""What results of fits have in common: numbers, whether they can be used, what comes with them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from flavorframe._display import Group, Items, Paragraph, as_html, as_text
from flavorframe.errors import FitError
from flavorframe.fit._tables import ALARM_STYLE, PROBLEM_STYLE, TITLE_STYLE
from flavorframe.fit.components import Array
from flavorframe.fit.impacts import Impacts, find_impacts
from flavorframe.fit.likelihood import Likelihood
from flavorframe.fit.parameter import FittedParameter, Yield
from flavorframe.fit.scans import Contour, Scan, find_contour, scan_likelihood
from flavorframe.fit.toys import GoodnessOfFit, ToyStudy, goodness_of_fit, run_toys

Self = TypeVar("Self", bound="Fitted")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Fitted(ABC):
    """The numbers of a fit, of one spectrum or of several.

    Attributes:
        fitted: Yields and parameters, in the order of ``likelihood.names``.
        covariance: Their covariance matrix in the same order, shape (parameters, parameters); zero
            for fixed parameters, NaN where there is none.
        chi2: The likelihood ratio to the data themselves, 2 ln(L_data / L), which is distributed as
            χ² where bins hold more than a few candidates; that of an unbinned fit is of the
            candidates in bins. Constraints add the squares of their pulls. Source: S. Baker,
            R. Cousins, NIM 221 (1984) 437.
        edm: Minuit's estimated distance to the minimum.
        problems: What is wrong with the fit, a sentence each; empty for a valid one.
        minimum: −2 ln L at the minimum; None where it is ``chi2``.
        unblinded: Why the fit was unblinded; empty for one that was not blind.
    """

    fitted: tuple[FittedParameter, ...]
    covariance: Array
    chi2: float
    edm: float
    problems: tuple[str, ...] = ()
    minimum: float | None = None
    unblinded: str = ""

    @property
    @abstractmethod
    def likelihood(self) -> Likelihood:
        """The likelihood that was maximised: call it with values to get −2 ln L."""

    @abstractmethod
    def pseudo_fit(self: Self, random: np.random.Generator, model: Any = None) -> Self:
        """Draw a pseudo-experiment from the fitted model and fit it, by default with that model."""

    @property
    @abstractmethod
    def measured(self) -> Mapping[str, Yield]:
        """What toy studies compare with the truth: value and error by name."""

    @property
    @abstractmethod
    def _title(self) -> str:
        """What was fitted, in a line."""

    @abstractmethod
    def _group(self, *heading: Paragraph | Items) -> Group:
        """Return the numbers below a heading."""

    def __repr__(self) -> str:
        verdict = "valid" if self.valid else "NOT VALID, do not use these numbers"
        problems = [f"  ✗ {problem}" for problem in self.problems]
        return as_text(self._group(Items((f"{self._title}: {verdict}", *problems))))

    def _repr_html_(self) -> str:
        heading = [Paragraph(self._title, style=TITLE_STYLE)]
        if not self.valid:
            heading.append(Paragraph("NOT VALID: do not use these numbers", style=ALARM_STYLE))
        heading += [Paragraph(problem, style=PROBLEM_STYLE) for problem in self.problems]
        return as_html(self._group(*heading))

    @property
    def valid(self) -> bool:
        """Whether the numbers can be used; if not, ``problems`` says why."""
        return not self.problems

    def require_valid(self: Self) -> Self:
        """Return this result if it is valid.

        Raises:
            FitError: If it is not, with the problems.
        """
        if self.valid:
            return self
        raise FitError(
            f"the fit is not valid: {'; '.join(self.problems)}. Look at .plot(); then fit more "
            "data, move or widen a parameter's limits, or fix it: model.change(name, fixed=True)"
        )

    @property
    def parameters(self) -> dict[str, FittedParameter]:
        """All that was fitted, by name: the yields N(...) and the shapes."""
        return {parameter.name: parameter for parameter in self.fitted}

    @property
    def values(self) -> tuple[float, ...]:
        """The fitted values, in the order of ``likelihood.names``."""
        return tuple(parameter.value for parameter in self.fitted)

    @property
    def correlation(self) -> Array:
        """The correlation matrix in the order of ``likelihood.names``; zero for what is fixed."""
        errors = np.sqrt(np.diag(self.covariance))
        scale = np.outer(errors, errors)
        found: Array = np.zeros_like(scale)
        np.divide(self.covariance, scale, out=found, where=scale != 0)
        return found

    @property
    def nll(self) -> float:
        """Minus the logarithm of the likelihood; of bins relative to that of the data, χ²/2.

        Between models fitted to the same data it differs as the full one does.
        """
        return (self.chi2 if self.minimum is None else self.minimum) / 2

    @property
    def ndf(self) -> int:
        """Degrees of freedom: bins and constraints less free parameters."""
        likelihood = self.likelihood
        bins = sum(int(spectrum.data.bins.used.sum()) for spectrum in likelihood.spectra)
        free = sum(not parameter.fixed for parameter in self.fitted)
        return bins + len(likelihood.constraints) - free

    @property
    def chi2_ndf(self) -> float:
        """χ² per degree of freedom; NaN if there is none."""
        return self.chi2 / self.ndf if self.ndf else math.nan

    @property
    def p_value(self) -> float:
        """The probability of a χ² at least as large, if the model is right; NaN without ndf."""
        from scipy.special import chdtrc

        return float(chdtrc(self.ndf, self.chi2)) if self.ndf else math.nan

    def scan(self, name: str, *, reach: float = 3.0, points: int = 31) -> Scan:
        """Follow the likelihood along one parameter, all others fitted at each point.

        Args:
            name: The parameter, or a yield as ``N(Ds)``.
            reach: How far to both sides, in errors; never beyond its limits.
            points: At how many values.

        Raises:
            FitError: If the fit is not valid, the parameter is not fitted, or candidates have
                weights, by which a likelihood does not tell errors.
        """
        return scan_likelihood(self.require_valid(), name, reach=reach, points=points)

    def contour(self, x: str, y: str, *, cl: float = 0.683, points: int = 40) -> Contour:
        """Follow the likelihood around two parameters, all others fitted at each point.

        Args:
            x: One parameter.
            y: The other.
            cl: The probability that the region contains both true values.
            points: At how many points.

        Raises:
            FitError: As `scan` does, and where Minuit finds no contour.
        """
        return find_contour(self.require_valid(), x, y, cl=cl, points=points)

    def impacts(self, of: str) -> Impacts:
        """Return what each constrained parameter does to another, and how far the data pull it.

        Args:
            of: The parameter that is of interest, or a yield as ``N(Ds)``.

        Raises:
            FitError: As `scan` does, and if no parameter is constrained.
        """
        return find_impacts(self.require_valid(), of)

    def toys(self, count: int = 500, *, seed: int = 1, model: Any = None) -> ToyStudy:
        """Fit pseudo-experiments drawn from the fitted model, to test the fit itself.

        With another ``model`` it is a bias study: how far the yields are off where nature is as
        this fit has it, and is fitted with that model.

        Args:
            count: How many, at least two.
            seed: Seed of the random numbers; the same one gives the same toys.
            model: What they are fitted with; by default the model of this fit.

        Raises:
            FitError: If this fit is not valid, or if fewer than two of the toys' fits are.
        """
        return run_toys(self.require_valid(), count, seed=seed, model=model)

    def goodness_of_fit(self, count: int = 200, *, seed: int = 1) -> GoodnessOfFit:
        """Compare χ² with those of pseudo-experiments, right also where bins hold few candidates.

        Args:
            count: How many pseudo-experiments, at least two.
            seed: Seed of the random numbers; the same one gives the same toys.

        Raises:
            FitError: As `toys`.
        """
        return goodness_of_fit(self.require_valid(), count, seed=seed)
