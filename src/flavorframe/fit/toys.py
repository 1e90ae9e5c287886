"""Toy studies: the fit repeated on pseudo-experiments with known yields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from flavorframe.errors import FitError
from flavorframe.fit.binned import BinnedData
from flavorframe.fit.components import Array
from flavorframe.fit.minimiser import fit_data
from flavorframe.fit.result import FitResult

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure


class PullSummary(NamedTuple):
    """Mean and width of a pull, with errors; 0 and 1 for a fit that is unbiased with right errors.

    The error of the width is that for Gaussian pulls.
    """

    mean: float
    mean_error: float
    width: float
    width_error: float


@dataclass(frozen=True, eq=False, repr=False)
class ToyStudy:
    """Pulls (fitted − true) / error of the yields in pseudo-experiments.

    ``truth`` has the true yields; ``pulls`` has, by component, shape (valid toys,); ``failures``
    has for each toy whose fit is not valid the first of its problems.
    """

    count: int
    truth: dict[str, float]
    pulls: dict[str, Array]
    failures: tuple[str, ...] = ()

    @property
    def valid_fraction(self) -> float:
        """The fraction of toys whose fit is valid."""
        return 1 - len(self.failures) / self.count

    @property
    def summary(self) -> dict[str, PullSummary]:
        """Mean and width of each yield's pull, by component."""
        return {name: _summary(pulls) for name, pulls in self.pulls.items()}

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the pulls of each yield with the unit Gaussian, and save to ``path`` if given."""
        from flavorframe.fit._plot_toys import plot_toys

        return plot_toys(self, path)

    def __repr__(self) -> str:
        from flavorframe.fit._repr_text import toys_text

        return toys_text(self)

    def _repr_html_(self) -> str:
        from flavorframe.fit._repr_html import toys_html

        return toys_html(self)


def run_toys(fit: FitResult, count: int, *, seed: int) -> ToyStudy:
    """Draw pseudo-experiments from a fitted model and fit them as the data were fitted.

    Raises FitError for a ``count`` below two, or if fewer than two of the fits are valid.
    """
    if count < 2:
        raise FitError(f"count={count} must be at least 2: a width needs two toys")
    random = np.random.default_rng(seed)
    fits = [fit_data(fit.model, pseudo_data(fit, random)) for _ in range(count)]
    valid = [toy for toy in fits if toy.valid]
    failures = tuple(toy.problems[0] for toy in fits if not toy.valid)
    if len(valid) < 2:
        raise FitError(f"{len(failures)} of {count} toys have no valid fit, e.g. {failures[0]}")
    truth = {name: found.value for name, found in fit.yields.items()}
    pulls = {name: np.array([_pull(toy, name, truth[name]) for toy in valid]) for name in truth}
    return ToyStudy(count, truth, pulls, failures)


def pseudo_data(fit: FitResult, random: np.random.Generator) -> BinnedData:
    """Draw one pseudo-experiment: a Poisson count in each bin, scaled where data are weighted."""
    scale = fit.data.scale
    values = random.poisson(fit.expected * scale) / scale
    variances = None if fit.data.variances is None else values / scale
    return replace(fit.data, values=values, variances=variances)


def _pull(toy: FitResult, name: str, truth: float) -> float:
    value, error = toy.yields[name]
    return (value - truth) / error


def _summary(pulls: Array) -> PullSummary:
    width = float(np.std(pulls, ddof=1))
    size = len(pulls)
    return PullSummary(
        float(np.mean(pulls)), width / size**0.5, width, width / (2 * (size - 1)) ** 0.5
    )
