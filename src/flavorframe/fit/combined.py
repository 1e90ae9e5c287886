"""Components made of others: sums of shapes, and shapes seen with a resolution."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from flavorframe.errors import FitError
from flavorframe.fit.components import Array, Component
from flavorframe.fit.formula import Term

#: Bins in which a shape is convolved; half of them lie in the fit range.
_BINS = 4096

#: The widest resolution, as a fraction of the range: four times that is what the shape is followed
#: beyond the range.
_WIDEST = 0.125


@dataclass(frozen=True)
class Sum(Component):
    """One kind of candidates whose shape is a sum, such as two Gaussians of one mean.

    Args:
        shapes: The shapes that are added. Their names and kinds say nothing.
        fractions: Which fraction of the candidates each of them has, but for the last, which has
            the rest.

    Raises:
        FitError: Unless there is one fraction less than there are shapes.

    Example:
        >>> from flavorframe.fit import Gaussian, Parameter
        >>> mean = Parameter("mean", 1.968, limits=(1.94, 2.0), unit="GeV")
        >>> sigma = Parameter("sigma", 0.01, limits=(0.001, 0.05), unit="GeV")
        >>> core = Parameter("core", 0.7, limits=(0, 1))
        >>> narrow, wide = Gaussian("", mean, sigma), Gaussian("", mean, sigma.times(2))
        >>> peak = Sum("Ds", (narrow, wide), (core,))
        >>> print(", ".join(parameter.name for parameter in peak.parameters))
        mean, sigma, mean, sigma, core
    """

    shapes: tuple[Component, ...]
    fractions: tuple[Term, ...]

    def __post_init__(self) -> None:
        if len(self.fractions) != len(self.shapes) - 1:
            raise FitError(
                f"the sum {self.name!r} has {len(self.shapes)} shapes and {len(self.fractions)} "
                "fractions; give a fraction for each shape but the last, which has the rest"
            )

        _require_exact(self.name, self.shapes)

    def cumulative(self, edges: Array, *values: float) -> Array:  # noqa: D102
        return sum(
            (f * shape.cumulative(edges, *own) for f, shape, own in self._split(values)),
            start=np.zeros_like(edges),
        )

    def density(self, masses: Array, range: tuple[float, float], *values: float) -> Array:  # noqa: D102
        return sum(
            (f * shape.density(masses, range, *own) for f, shape, own in self._split(values)),
            start=np.zeros_like(masses),
        )

    def problems(self, range: tuple[float, float], *values: float) -> tuple[str, ...]:  # noqa: D102
        inner = [p for _, shape, own in self._split(values) for p in shape.problems(range, *own)]
        total = sum(values[len(values) - len(self.fractions) :])
        if total > 1:
            inner.append(
                f"the fractions in {self.name} add up to {total:.3g}: the last shape has less than "
                "nothing; give fewer shapes, or fractions of what is left"
            )
        return tuple(inner)

    def require_covers(self, range: tuple[float, float]) -> None:  # noqa: D102
        for shape in self.shapes:
            shape.require_covers(range)

    def _split(self, values: Sequence[float]) -> list[tuple[float, Component, Sequence[float]]]:
        """Return each shape's fraction, the shape, and the values of its arguments."""
        given = values[len(values) - len(self.fractions) :]
        fractions = (*given, 1.0 - sum(given))
        ends = np.cumsum([len(shape.arguments) for shape in self.shapes]).tolist()
        return [
            (fraction, shape, values[begin:end])
            for fraction, shape, begin, end in zip(
                fractions, self.shapes, (0, *ends), ends, strict=False
            )
        ]


@dataclass(frozen=True)
class Convolved(Component):
    """A shape seen with a Gaussian resolution.

    The shape is followed beyond the fit range, by half of the range on either side: what comes in
    from there is included where the shape is defined there. A shape of bins ends where they do.

    Args:
        shape: What would be seen with perfect resolution.
        sigma: The resolution [GeV], well below half the range.

    Example:
        >>> from flavorframe.fit import Gaussian, Parameter
        >>> mean = Parameter("mean", 1.968, limits=(1.94, 2.0), unit="GeV")
        >>> sigma = Parameter("sigma", 0.01, limits=(0.001, 0.05), unit="GeV")
        >>> peak = Convolved("Ds", Gaussian("", mean, sigma.times(0.6)), sigma.times(0.8))
        >>> edges = np.array([1.65, 1.958, 2.01])
        >>> peak.cumulative(edges, 1.968, 0.006, 0.008).round(4)
        array([0.    , 0.1587, 1.    ])
    """

    shape: Component
    sigma: Term

    def __post_init__(self) -> None:
        _require_exact(self.name, (self.shape,))

    def cumulative(self, edges: Array, *values: float) -> Array:  # noqa: D102
        grid, fractions = self._fractions(float(edges[0]), float(edges[-1]), values)
        found: Array = np.interp(edges, grid, np.append(0.0, np.cumsum(fractions)))
        return found

    def density(self, masses: Array, range: tuple[float, float], *values: float) -> Array:  # noqa: D102
        grid, fractions = self._fractions(*range, values)
        middles = (grid[1:] + grid[:-1]) / 2
        found: Array = np.interp(masses, middles, fractions / np.diff(grid))
        return found

    def problems(self, range: tuple[float, float], *values: float) -> tuple[str, ...]:  # noqa: D102
        *shaping, sigma = values
        inner = self.shape.problems(range, *shaping)
        if abs(sigma) <= _WIDEST * (range[1] - range[0]):
            return inner
        return (
            *inner,
            f"the resolution of {self.name}, {sigma:.3g}, is too wide for the range: what comes in "
            "from beyond is not known",
        )

    def require_covers(self, range: tuple[float, float]) -> None:  # noqa: D102
        self.shape.require_covers(range)

    def _fractions(self, low: float, high: float, values: Sequence[float]) -> tuple[Array, Array]:
        """Return edges of fine bins in the range, and the fraction of the candidates in each."""
        from scipy.fft import irfft, rfft, rfftfreq

        *shaping, sigma = values
        reach = (high - low) / 2
        grid = np.linspace(low - reach, high + reach, _BINS + 1)
        exact = np.diff(self.shape.cumulative(grid, *shaping))
        # The transform of a Gaussian is one; twice the length, so that nothing comes around.
        frequencies = rfftfreq(2 * _BINS, d=grid[1] - grid[0])
        smear = np.exp(-2 * (np.pi * sigma * frequencies) ** 2)
        seen = np.maximum(irfft(rfft(exact, 2 * _BINS) * smear, 2 * _BINS)[:_BINS], 0.0)
        inside = slice(_BINS // 4, _BINS - _BINS // 4)
        with np.errstate(divide="ignore", invalid="ignore"):
            return grid[inside.start : inside.stop + 1], seen[inside] / seen[inside].sum()


def _require_exact(name: str, shapes: Iterable[Component]) -> None:
    if any(shape.inexact for shape in shapes):
        raise FitError(
            f"a template in {name!r} has errors of its bins, which only a component of its own can "
            "have: make it with errors=False"
        )
