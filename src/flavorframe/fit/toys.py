"""Toy studies: the fit repeated on pseudo-experiments with known yields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from flavorframe._display import Group, Items, Paragraph, as_html, as_text, with_error
from flavorframe.errors import FitError
from flavorframe.fit._plot_toys import plot_toys
from flavorframe.fit._tables import CSS_CLASS, PROBLEM_STYLE, TITLE_STYLE, pull_table
from flavorframe.fit.components import Array
from flavorframe.fit.parameter import Yield
from flavorframe.fit.unbinned import Data, UnbinnedData

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from flavorframe.fit.fitted import Fitted
    from flavorframe.fit.model import MassModel

_SHOWN_FAILURES = 3

#: Pieces of the range between which the masses of pseudo-experiments are interpolated.
_FINE = 20_000


class PullSummary(NamedTuple):
    """Mean and width of a pull, in units of the error of the fit.

    They are 0 and 1 for a fit that is unbiased and whose errors are right.

    Attributes:
        mean: Mean of the pulls.
        mean_error: Its error.
        width: Standard deviation of the pulls.
        width_error: Its error, that for Gaussian pulls.
    """

    mean: float
    mean_error: float
    width: float
    width_error: float


@dataclass(frozen=True, eq=False, repr=False)
class ToyStudy:
    """Pulls (fitted − true) / error in pseudo-experiments: of yields; of all, in joint fits.

    Attributes:
        count: How many pseudo-experiments were fitted.
        truth: The true yield of each component, or value of each parameter.
        pulls: The pulls of each, shape (valid toys,).
        failures: The first problem of each fit that is not valid.
        of_yields: Whether these are yields alone, by the names of their components.
    """

    count: int
    truth: dict[str, float]
    pulls: dict[str, Array]
    failures: tuple[str, ...] = ()
    of_yields: bool = True

    @property
    def valid_fraction(self) -> float:
        """The fraction of toys whose fit is valid."""
        return 1 - len(self.failures) / self.count

    @property
    def summary(self) -> dict[str, PullSummary]:
        """Mean and width of each yield's pull, by component."""
        return {name: _summary(pulls) for name, pulls in self.pulls.items()}

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the pulls of each yield with the unit Gaussian.

        Args:
            path: Where to save the figure too; its suffix (.png, .pdf) decides the format.
        """
        return plot_toys(self, path)

    def __repr__(self) -> str:
        heading = (
            f"ToyStudy: {self.count - len(self.failures)} of {self.count} fits valid "
            f"({self.valid_fraction:.1%})"
        )
        reasons = [f"  ✗ {reason}" for reason in self.failures[:_SHOWN_FAILURES]]
        return as_text(self._group(Items((heading, *reasons))))

    def _repr_html_(self) -> str:
        heading = f"{self.count - len(self.failures)} of {self.count} fits valid"
        reasons = self.failures[:_SHOWN_FAILURES]
        problems = [Paragraph(reason, style=PROBLEM_STYLE) for reason in reasons]
        return as_html(self._group(Paragraph(heading, style=TITLE_STYLE), *problems))

    def _group(self, *heading: Paragraph | Items) -> Group:
        return Group(
            (*heading, pull_table(self.truth, self.summary, of_yields=self.of_yields)), CSS_CLASS
        )


@dataclass(frozen=True, eq=False, repr=False)
class GoodnessOfFit:
    """How a fit's χ² compares with those of pseudo-experiments drawn from the fitted model.

    Attributes:
        chi2: That of the fit.
        toys: Those of the pseudo-experiments whose fits are valid, shape (valid toys,).
        failures: The first problem of each fit that is not valid.
    """

    chi2: float
    toys: Array
    failures: tuple[str, ...] = ()

    @property
    def p_value(self) -> float:
        """The fraction of pseudo-experiments that are described as badly, or worse."""
        return float(np.mean(self.toys >= self.chi2))

    @property
    def p_value_error(self) -> float:
        """The error of the fraction, of the number of pseudo-experiments."""
        p = (np.sum(self.toys >= self.chi2) + 0.5) / (len(self.toys) + 1)
        return float(np.sqrt(p * (1 - p) / len(self.toys)))

    def __repr__(self) -> str:
        return (
            f"GoodnessOfFit: χ² = {self.chi2:.1f}, p = "
            f"{with_error(self.p_value, self.p_value_error)} by {len(self.toys)} toys, "
            f"{len(self.failures)} more failed"
        )


def run_toys(fit: Fitted, count: int, *, seed: int, model: Any = None) -> ToyStudy:
    """Draw pseudo-experiments from a fitted model and fit them as the data were fitted.

    Raises FitError for a ``count`` below two, or if fewer than two of the fits are valid.
    """
    valid, failures = _pseudo_fits(fit, count, seed, model)
    measured = [toy.measured for toy in valid]
    truth = {name: found.value for name, found in fit.measured.items() if name in measured[0]}
    if not truth:
        raise FitError(
            f"the model that toys are fitted with has none of {', '.join(fit.measured)}: name its "
            "components alike"
        )
    pulls = {name: np.array([_pull(toy[name], truth[name]) for toy in measured]) for name in truth}
    # Those of one spectrum go by their components, those of several by their names in the fit.
    of_yields = truth.keys().isdisjoint(fit.parameters)
    return ToyStudy(count, truth, pulls, failures, of_yields)


def goodness_of_fit(fit: Fitted, count: int, *, seed: int) -> GoodnessOfFit:
    """Compare a fit with pseudo-experiments; arguments are those of `Fitted.goodness_of_fit`."""
    valid, failures = _pseudo_fits(fit, count, seed, None)
    return GoodnessOfFit(fit.chi2, np.array([toy.chi2 for toy in valid]), failures)


def _pseudo_fits(
    fit: Fitted, count: int, seed: int, model: Any
) -> tuple[list[Fitted], tuple[str, ...]]:
    """Return the valid fits of pseudo-experiments, and the first problem of each other one."""
    if count < 2:
        raise FitError(f"count={count} must be at least 2: a width needs two toys")
    random = np.random.default_rng(seed)
    fits = [fit.pseudo_fit(random, model) for _ in range(count)]
    valid = [toy for toy in fits if toy.valid]
    failures = tuple(toy.problems[0] for toy in fits if not toy.valid)
    if len(valid) < 2:
        raise FitError(f"{len(failures)} of {count} toys have no valid fit, e.g. {failures[0]}")
    return valid, failures


def pseudo_data(
    model: MassModel, data: Data, values: Sequence[float], random: np.random.Generator
) -> Data:
    """Draw one pseudo-experiment: as many candidates as may be, weighted as the data are."""
    if isinstance(data, UnbinnedData):
        return _pseudo_candidates(model, data, values, random)
    scale = data.scale
    expected = np.diff(model.cumulative(data.edges, *values)) * data.used
    drawn = random.poisson(np.maximum(expected, 0.0) * scale) / scale
    return replace(data, values=drawn, variances=None if data.variances is None else drawn / scale)


def _pseudo_candidates(
    model: MassModel, data: UnbinnedData, values: Sequence[float], random: np.random.Generator
) -> UnbinnedData:
    edges = np.linspace(*data.range, _FINE + 1)
    below = np.maximum.accumulate(model.cumulative(edges, *values))
    # As many candidates for each unit of weight as the data have.
    mean_weight = 1.0 if data.weights is None else data.total / data.counted
    count = random.poisson((below[-1] - below[0]) / mean_weight)
    masses = np.interp(random.uniform(below[0], below[-1], count), below, edges)
    for low, high in data.gaps:
        masses = masses[(masses < low) | (masses >= high)]
    weights = None if data.weights is None else random.choice(data.weights, len(masses))
    return replace(data, masses=masses, weights=weights)


def _pull(found: Yield, truth: float) -> float:
    return (found.value - truth) / found.error


def _summary(pulls: Array) -> PullSummary:
    width = float(np.std(pulls, ddof=1))
    size = len(pulls)
    return PullSummary(
        float(np.mean(pulls)), width / size**0.5, width, width / (2 * (size - 1)) ** 0.5
    )
