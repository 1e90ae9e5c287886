"""Discrete profiling: the choice of the background's shape as one more nuisance parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flavorframe._display import with_error
from flavorframe.errors import FitError
from flavorframe.fit.components import Array
from flavorframe.fit.fitted import Fitted
from flavorframe.fit.scans import Scan, free_parameter, rise_at

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

#: Added to −2 ln L for each free parameter, as the source recommends.
PER_PARAMETER = 1.0


@dataclass(frozen=True, eq=False, repr=False)
class Envelope:
    """The lowest of the likelihoods of several models, along a parameter that all have.

    Attributes:
        name: The parameter.
        values: Its values, rising, shape (points,).
        curves: −2 ln L of each model, with one added for each of its free parameters, above the
            lowest of all; by the model's name, shape (points,).
        best_model: The model with the lowest.
    """

    name: str
    values: Array
    curves: dict[str, Array]
    best_model: str

    @property
    def rise(self) -> Array:
        """The lowest of all curves at each value, shape (points,)."""
        lowest: Array = np.nanmin(np.array(list(self.curves.values())), axis=0)
        return lowest

    @property
    def best(self) -> float:
        """The value at which the envelope is lowest."""
        return float(self.values[np.nanargmin(self.rise)])

    def interval(self, cl: float = 0.683) -> tuple[float, float]:
        """Return between which values the parameter is, whichever model is right.

        Args:
            cl: The probability.
        """
        return Scan(self.name, self.values, self.rise, self.best).interval(cl)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the curves and their envelope.

        Args:
            path: Where to save the figure too; its suffix (.png, .pdf) decides the format.
        """
        from flavorframe.fit._plot_studies import plot_envelope

        return plot_envelope(self, path)

    def __repr__(self) -> str:
        low, high = self.interval()
        return (
            f"Envelope of {len(self.curves)} models, best {self.best_model}: {self.name} = "
            f"{with_error(self.best, (high - low) / 2)}, between {low:.6g} and {high:.6g} (68.3 %)"
        )


def envelope(
    fits: Mapping[str, Fitted], name: str, *, reach: float = 3.0, points: int = 61
) -> Envelope:
    """Follow one parameter through fits of several models to the same data.

    The width of the envelope holds what is not known of the shape. Source: P. Dauncey et al.,
    JINST 10 (2015) P04015.

    Args:
        fits: Fits of different models to the same data, by a name for each.
        name: The parameter, or a yield as ``N(Ds)``, that all models have.
        reach: How far to both sides of all fits, in their errors.
        points: At how many values.

    Raises:
        FitError: For fits of different data, or one that is not valid or has no such parameter.

    Example:
        >>> from dataclasses import replace
        >>> from flavorframe.fit import Bernstein, Parameter, dsphi
        >>> random = np.random.default_rng(1)
        >>> masses = [*random.normal(1.968, 0.012, 900), *random.uniform(1.65, 2.01, 3000)]
        >>> line = Bernstein("background", (Parameter("b1", 1.0, limits=(0, 9)),))
        >>> one = dsphi().only("Ds", "background")
        >>> other = replace(one, components=(one.components[0], line), stages=())
        >>> fits = {"exponential": one.fit(masses), "line": other.fit(masses)}
        >>> low, high = envelope(fits, "N(Ds)", points=21).interval()
        >>> low < 900 < high
        True
    """
    for label, fit in fits.items():
        _require_comparable(label, fit, next(iter(fits.values())))
    found = [free_parameter(fit, name) for fit in fits.values()]
    low = max(min(p.value - reach * p.error for p in found), *(p.limits[0] for p in found))
    high = min(max(p.value + reach * p.error for p in found), *(p.limits[1] for p in found))
    values = np.linspace(low, high, points)
    heights = {label: 2 * fit.nll + _price(fit) for label, fit in fits.items()}
    best = min(heights, key=heights.__getitem__)
    curves = {
        label: rise_at(fit, name, values) + heights[label] - heights[best]
        for label, fit in fits.items()
    }
    return Envelope(name, values, curves, best)


def _price(fit: Fitted) -> float:
    return PER_PARAMETER * sum(not parameter.fixed for parameter in fit.fitted)


def _require_comparable(label: str, fit: Fitted, first: Fitted) -> None:
    fit.require_valid()
    mine, theirs = fit.likelihood.spectra, first.likelihood.spectra
    same = len(mine) == len(theirs) and all(
        type(a.data) is type(b.data)
        and a.data.gaps == b.data.gaps
        and np.array_equal(a.data.bins.edges, b.data.bins.edges)
        and np.array_equal(a.data.bins.values, b.data.bins.values)
        for a, b in zip(mine, theirs, strict=False)
    )
    if not same:
        raise FitError(
            f"the fit {label!r} is of other data than the first, so their likelihoods cannot be "
            "compared: fit all models to one histogram, in the same range"
        )
