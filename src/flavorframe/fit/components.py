"""The components of a mass model: peaks and backgrounds, normalised to one on the fit range."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from flavorframe.fit.parameter import Parameter

Array = NDArray[np.float64]
Kind = Literal["signal", "background"]

# numba-stats and scipy are imported where they are used: numba alone takes longer to import than
# the rest of the package, and most users of a model only print it or read a result.


@dataclass(frozen=True)
class Component(ABC):
    """One kind of candidates in a mass spectrum, a peak or a background.

    A subclass is a frozen dataclass that says how its candidates are distributed; its parameters
    are its fields of the type `Parameter`.

    Args:
        name: Its name in the model.
        kind: "signal" or "background".
        title: What plots call it, with mathematics between ``$``; by default its name.
    """

    name: str
    kind: Kind = field(default="signal", kw_only=True)
    title: str = field(default="", kw_only=True)

    @abstractmethod
    def cumulative(self, edges: Array, *values: float) -> Array:
        """Return the fraction of candidates below each edge.

        Args:
            edges: Rising bin edges from one end of the fit range to the other, shape
                (bins + 1,).
            *values: The values of ``parameters``, in order.

        Returns:
            Fractions from 0 to 1, shape (bins + 1,).
        """

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters, in the order in which ``cumulative`` takes their values."""
        found = (getattr(self, entry.name) for entry in fields(self))
        return tuple(value for value in found if isinstance(value, Parameter))

    def change(self, name: str, **changes: Any) -> Component:
        """Return a copy in which the parameter of this name, if there is one, is changed."""
        mine: dict[str, Any] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, Parameter) and value.name == name:
                mine[entry.name] = replace(value, **changes)
        return replace(self, **mine)


@dataclass(frozen=True)
class CrystalBall(Component):
    """A Gaussian peak with a power-law tail to low masses, as final-state radiation makes it.

    Source: J. E. Gaiser, SLAC-R-255 (1982), appendix F.

    Args:
        mean: Mean of the Gaussian [GeV].
        sigma: Its standard deviation [GeV].
        alpha: How many ``sigma`` below the mean the tail begins, above zero.
        n: The power with which the tail falls, above one.

    Example:
        >>> from flavorframe.fit import dsphi
        >>> peak = dsphi().components[0]
        >>> peak.cumulative(np.array([1.65, 1.968, 2.01]), 1.968, 0.012, 2.0, 3.0).round(4)
        array([0.    , 0.5088, 1.    ])
    """

    mean: Parameter
    sigma: Parameter
    alpha: Parameter
    n: Parameter

    def cumulative(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import crystalball

        mean, sigma, alpha, n = values
        return _between_ends(crystalball.cdf(edges, alpha, n, mean, sigma))


@dataclass(frozen=True)
class Gaussian(Component):
    """A Gaussian peak.

    Args:
        mean: Its mean [GeV].
        sigma: Its standard deviation [GeV].

    Example:
        >>> mean = Parameter("mean", 1.0, limits=(0.9, 1.1), unit="GeV")
        >>> sigma = Parameter("sigma", 0.1, limits=(0.01, 0.2), unit="GeV")
        >>> Gaussian("phi", mean, sigma).cumulative(np.array([0.8, 0.9, 1.2]), 1.0, 0.1).round(4)
        array([0.    , 0.1424, 1.    ])
    """

    mean: Parameter
    sigma: Parameter

    def cumulative(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import norm

        return _between_ends(norm.cdf(edges, *values))


@dataclass(frozen=True)
class Exponential(Component):
    """A background that varies as exp(slope · mass).

    Args:
        slope: The exponent per mass [1/GeV], of either sign or zero.

    Example:
        >>> slope = Parameter("slope", 0.0, limits=(-20, 20), unit="1/GeV")
        >>> Exponential("background", slope).cumulative(np.array([1.0, 1.5, 2.0]), 0.0)
        array([0. , 0.5, 1. ])
    """

    slope: Parameter
    kind: Kind = field(default="background", kw_only=True)

    def cumulative(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from scipy.special import exprel

        (slope,) = values
        # exprel(z) = (exp(z) - 1) / z goes smoothly through z = 0, where the background is flat.
        distance = edges - edges[0]
        return _between_ends(distance * exprel(slope * distance))


def _between_ends(integral: Array) -> Array:
    # Trial parameters may put all of a component outside the range: NaN, which the fit reports.
    with np.errstate(divide="ignore", invalid="ignore"):
        fractions: Array = (integral - integral[0]) / (integral[-1] - integral[0])
    return fractions
