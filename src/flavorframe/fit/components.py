"""The components of a mass model: peaks and backgrounds, normalised to one on the fit range."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from flavorframe.fit.formula import Term
from flavorframe.fit.parameter import Parameter

Array = NDArray[np.float64]
Kind = Literal["signal", "background"]

# numba-stats and scipy are imported where they are used: numba alone takes longer to import than
# the rest of the package, and most users of a model only print it or read a result.


#: Half the distance, as a fraction of the range, over which fractions are differentiated: what is
#: lost of a peak of a hundredth of the range is 10⁻⁷, of the 16 digits of a fraction eleven remain.
_STEP = 1e-5


@dataclass(frozen=True)
class Component(ABC):
    """One kind of candidates in a mass spectrum, a peak or a background.

    A subclass is a frozen dataclass that says how its candidates are distributed. Its arguments are
    its fields of the type `Parameter`, or expressions of parameters.

    Args:
        name: Its name in the model.
        kind: "signal" or "background".
        title: What plots call it, with mathematics between ``$``; by default its name.
        candidates: How many candidates it has in the range: a parameter, or an expression of
            parameters such as ``ratio * total``. By default a number of its own, ``N(name)``.
    """

    name: str
    kind: Kind = field(default="signal", kw_only=True)
    title: str = field(default="", kw_only=True)
    candidates: Term | None = field(default=None, kw_only=True)

    @abstractmethod
    def cumulative(self, edges: Array, *values: float) -> Array:
        """Return the fraction of candidates below each edge.

        Args:
            edges: Rising bin edges from one end of the fit range to the other, shape
                (bins + 1,).
            *values: The values of ``arguments``, in order.

        Returns:
            Fractions from 0 to 1, shape (bins + 1,).
        """

    def density(self, masses: Array, range: tuple[float, float], *values: float) -> Array:
        """Return the fraction of candidates per mass, at each mass.

        Unless a subclass knows better, it is the difference of ``cumulative`` around the mass.

        Args:
            masses: Masses in the range, shape (n,).
            range: Lowest and highest mass.
            *values: The values of ``arguments``, in order.

        Returns:
            Densities whose integral over the range is one, shape (n,).
        """
        low, high = range
        step = _STEP * (high - low)
        below, above = np.maximum(masses - step, low), np.minimum(masses + step, high)
        edges = np.concatenate([[low], below, above, [high]])
        order = np.argsort(edges, kind="stable")
        fractions = np.empty_like(edges)
        fractions[order] = self.cumulative(edges[order], *values)
        found: Array = (fractions[len(masses) + 1 : -1] - fractions[1 : len(masses) + 1]) / (
            above - below
        )
        return found

    @property
    def inexact(self) -> bool:
        """Whether its fractions have errors, as those of templates do."""
        return False

    def bin_variances(self, edges: Array) -> Array | None:
        """Return the variances of the fractions in the bins, shape (bins,); None if exact."""
        return None

    def problems(self, range: tuple[float, float], *values: float) -> tuple[str, ...]:
        """Return what is wrong with fitted values of ``arguments``, a sentence each."""
        return ()

    def require_covers(self, range: tuple[float, float]) -> None:  # noqa: B027
        """Raise FitError where it is not defined on the whole range; most are everywhere."""

    @property
    def arguments(self) -> tuple[Term, ...]:
        """What shapes it, in the order in which ``cumulative`` takes the values."""
        return tuple(self._arguments)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in its arguments, and in the expression of its candidates."""
        own = () if self.candidates is None else self.candidates.leaves
        return (*(leaf for term in self._arguments for leaf in term.leaves), *own)

    def change(self, name: str, **changes: Any) -> Component:
        """Return a copy in which the parameter of this name, if there is one, is changed."""
        mine = {
            entry.name: _changed(getattr(self, entry.name), name, changes) for entry in _of(self)
        }
        return replace(self, **mine)

    @property
    def _arguments(self) -> Iterator[Term]:
        for entry in _of(self):
            if entry.name != "candidates":
                yield from _terms(getattr(self, entry.name))


class Shape(Component):
    """A component whose density and its integral are known, both up to the same factor."""

    @abstractmethod
    def integral(self, edges: Array, *values: float) -> Array:
        """Return the integral of ``height`` up to each edge, from anywhere, shape (edges,)."""

    @abstractmethod
    def height(self, masses: Array, *values: float) -> Array:
        """Return the density at each mass, which need not be normalised, shape (masses,)."""

    def cumulative(self, edges: Array, *values: float) -> Array:  # noqa: D102
        return between_ends(self.integral(edges, *values))

    def density(self, masses: Array, range: tuple[float, float], *values: float) -> Array:  # noqa: D102
        low, high = self.integral(np.array(range), *values)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Array = self.height(masses, *values) / (high - low)
        return found


@dataclass(frozen=True)
class CrystalBall(Shape):
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

    mean: Term
    sigma: Term
    alpha: Term
    n: Term

    def integral(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import crystalball

        mean, sigma, alpha, n = values
        return crystalball.cdf(edges, alpha, n, mean, sigma)  # type: ignore[no-any-return]

    def height(self, masses: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import crystalball

        mean, sigma, alpha, n = values
        return crystalball.pdf(masses, alpha, n, mean, sigma)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Gaussian(Shape):
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

    mean: Term
    sigma: Term

    def integral(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import norm

        return norm.cdf(edges, *values)  # type: ignore[no-any-return]

    def height(self, masses: Array, *values: float) -> Array:  # noqa: D102
        from numba_stats import norm

        return norm.pdf(masses, *values)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Exponential(Shape):
    """A background that varies as exp(slope · mass).

    Args:
        slope: The exponent per mass [1/GeV], of either sign or zero.

    Example:
        >>> slope = Parameter("slope", 0.0, limits=(-20, 20), unit="1/GeV")
        >>> Exponential("background", slope).cumulative(np.array([1.0, 1.5, 2.0]), 0.0)
        array([0. , 0.5, 1. ])
    """

    slope: Term
    kind: Kind = field(default="background", kw_only=True)

    def integral(self, edges: Array, *values: float) -> Array:  # noqa: D102
        from scipy.special import exprel

        (slope,) = values
        # exprel(z) = (exp(z) - 1) / z goes smoothly through z = 0, where the background is flat.
        distance = edges - edges[0]
        return distance * exprel(slope * distance)  # type: ignore[no-any-return]

    def density(self, masses: Array, range: tuple[float, float], *values: float) -> Array:  # noqa: D102
        return super().density(masses - range[0], (0.0, range[1] - range[0]), *values)

    def height(self, masses: Array, *values: float) -> Array:  # noqa: D102
        (slope,) = values
        found: Array = np.exp(slope * masses)
        return found


def between_ends(integral: Array) -> Array:
    """Return an integral up to each edge as fractions of that up to the last, from 0 to 1."""
    # Trial parameters may put all of a component outside the range: NaN, which the fit reports.
    with np.errstate(divide="ignore", invalid="ignore"):
        fractions: Array = (integral - integral[0]) / (integral[-1] - integral[0])
    return fractions


def _of(component: Component) -> list[Field[Any]]:
    """Return the fields in which parameters may be."""
    return [entry for entry in fields(component) if entry.name not in ("name", "kind", "title")]


def _terms(value: Any) -> Iterator[Term]:
    if isinstance(value, Term):
        yield value
    elif isinstance(value, Component):
        yield from value.arguments
    elif isinstance(value, tuple):
        for item in value:
            yield from _terms(item)


def _changed(value: Any, name: str, changes: dict[str, Any]) -> Any:
    if isinstance(value, Term):
        return value.changed(name, changes)
    if isinstance(value, Component):
        return value.change(name, **changes)
    if isinstance(value, tuple) and any(True for _ in _terms(value)):
        return tuple(_changed(item, name, changes) for item in value)
    return value
