"""Likelihood scans and contours: the likelihood around its maximum, by Minuit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from flavorframe._display import with_error
from flavorframe.errors import FitError, did_you_mean
from flavorframe.fit.components import Array
from flavorframe.fit.weighting import has_weighted_candidates

if TYPE_CHECKING:
    from pathlib import Path

    from iminuit import Minuit
    from matplotlib.figure import Figure

    from flavorframe.fit.fitted import Fitted
    from flavorframe.fit.parameter import FittedParameter


@dataclass(frozen=True, eq=False, repr=False)
class Scan:
    """The likelihood along one parameter.

    Attributes:
        name: The parameter.
        values: Its values, rising, in ``unit``, shape (points,).
        rise: −2 ln L above its minimum at each, shape (points,); NaN where no fit succeeded.
        best: The fitted value.
        unit: The unit of the values.
    """

    name: str
    values: Array
    rise: Array
    best: float
    unit: str = ""

    def interval(self, cl: float = 0.683) -> tuple[float, float]:
        """Return between which values the parameter is, with a probability.

        An end is infinite where the scan does not reach so far.

        Args:
            cl: The probability.
        """
        from scipy.special import chdtri

        return _crossings(self.values, self.rise, self.best, float(chdtri(1, 1 - cl)))

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw it.

        Args:
            path: Where to save the figure too; its suffix (.png, .pdf) decides the format.
        """
        from flavorframe.fit._plot_studies import plot_scan

        return plot_scan(self, path)

    def __repr__(self) -> str:
        low, high = self.interval()
        return (
            f"Scan of {self.name}: {with_error(self.best, (high - low) / 2)} {self.unit}".rstrip()
            + f", between {low:.6g} and {high:.6g} (68.3 %)"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Contour:
    """A region of two parameters, around the fitted values.

    Attributes:
        names: The two parameters.
        points: The points around it, shape (points, 2).
        best: The fitted values.
        cl: The probability that the region contains both true values.
        units: The units of the two.
    """

    names: tuple[str, str]
    points: Array
    best: tuple[float, float]
    cl: float
    units: tuple[str, str] = ("", "")

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw it.

        Args:
            path: Where to save the figure too; its suffix (.png, .pdf) decides the format.
        """
        from flavorframe.fit._plot_studies import plot_contour

        return plot_contour(self, path)

    def __repr__(self) -> str:
        (x, y), (low, high) = self.names, (self.points.min(axis=0), self.points.max(axis=0))
        return (
            f"Contour of {x} ({low[0]:.6g} to {high[0]:.6g}) and {y} ({low[1]:.6g} to "
            f"{high[1]:.6g}) at {self.cl:.1%}"
        )


def scan_likelihood(fit: Fitted, name: str, *, reach: float, points: int) -> Scan:
    """Scan a valid fit; arguments and errors are those of `Fitted.scan`."""
    found = free_parameter(fit, name)
    low = max(found.value - reach * found.error, found.limits[0])
    high = min(found.value + reach * found.error, found.limits[1])
    values = np.linspace(low, high, points)
    return Scan(name, values, rise_at(fit, name, values), found.value, found.unit)


def rise_at(fit: Fitted, name: str, values: Array) -> Array:
    """Return −2 ln L above its minimum where a parameter has each of the values."""
    minuit = _at_minimum(fit)
    _, heights, succeeded = minuit.mnprofile(name, grid=values)
    return np.where(succeeded, heights - minuit.fval, np.nan)


def find_contour(fit: Fitted, x: str, y: str, *, cl: float, points: int) -> Contour:
    """Find the contour of a valid fit; arguments and errors are those of `Fitted.contour`."""
    found = free_parameter(fit, x), free_parameter(fit, y)
    try:
        around = _at_minimum(fit).mncontour(x, y, cl=cl, size=points)
    except RuntimeError as error:
        raise FitError(f"no contour of {x} and {y} at {cl:.1%}: {error}") from error
    if len(around) < points:
        raise FitError(
            f"the contour of {x} and {y} at {cl:.1%} is not closed: a parameter may be at its "
            "limit; scan each alone, fit.scan(name)"
        )
    return Contour(
        (x, y),
        np.asarray(around, dtype=np.float64),
        (found[0].value, found[1].value),
        cl,
        (found[0].unit, found[1].unit),
    )


def free_parameter(fit: Fitted, name: str) -> FittedParameter:
    """Return a parameter that the likelihood can be followed along, or raise FitError."""
    known: Mapping[str, Any] = fit.parameters
    if name not in known:
        listed = ", ".join(known)
        raise FitError(f"no parameter {name!r}; there are {listed}.{did_you_mean(name, known)}")
    if known[name].fixed:
        raise FitError(f"{name!r} was fixed: free it, model.change({name!r}, fixed=False)")
    if has_weighted_candidates(fit.likelihood):
        raise FitError(
            "the likelihood of weighted candidates does not tell errors, so it cannot be followed; "
            "use the errors of the fit, or fit a weighted histogram"
        )
    found: FittedParameter = known[name]
    return found


def _at_minimum(fit: Fitted) -> Minuit:
    minuit = fit.likelihood.minuit(starts=fit.values)
    for parameter in fit.fitted:
        if not parameter.fixed:
            minuit.errors[parameter.name] = parameter.error
    minuit.migrad()
    minuit.hesse()
    return minuit


def _crossings(values: Array, rise: Array, best: float, level: float) -> tuple[float, float]:
    """Return where a likelihood crosses a level below and above its minimum."""
    below, above = values < best, values > best
    low = _first(values[below][::-1], rise[below][::-1], best, level)
    high = _first(values[above], rise[above], best, level)
    return (-np.inf if low is None else low, np.inf if high is None else high)


def _first(values: Array, rise: Array, best: float, level: float) -> float | None:
    """Return the first crossing going outwards; the root of a parabola's rise is straight."""
    places = np.append(best, values)
    roots = np.append(0.0, np.sqrt(np.maximum(rise, 0.0)))
    beyond = np.flatnonzero(roots >= level**0.5)
    if not len(beyond):
        return None
    after = int(beyond[0])
    before = after - 1
    share = (level**0.5 - roots[before]) / (roots[after] - roots[before])
    return float(places[before] + share * (places[after] - places[before]))
