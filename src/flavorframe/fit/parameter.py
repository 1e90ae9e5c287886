"""Parameters before and after the fit, and the yields of components."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from flavorframe.errors import FitError
from flavorframe.fit.formula import Term


@dataclass(frozen=True)
class Constraint:
    """What another measurement says of a parameter; it enters the likelihood.

    Args:
        value: What was measured, in the unit of the parameter.
        error: Its error, in the same unit.
        log_normal: Whether the logarithm of the parameter is distributed normally, with the width
            ln(1 + error / value), as fits of factors and efficiencies that cannot be negative
            have it; otherwise the parameter itself is.

    Raises:
        FitError: For an error that is not above zero, or a log-normal of a value that is not.

    Example:
        >>> Constraint(3.0, 0.5).penalty(4.0)
        4.0
    """

    value: float
    error: float
    log_normal: bool = False

    def __post_init__(self) -> None:
        if not (self.error > 0 and math.isfinite(self.value)):
            raise FitError(
                f"a constraint to {self.value:g} ± {self.error:g} needs an error above zero; for a "
                "parameter that is known exactly, use fixed=True"
            )
        if self.log_normal and self.value <= 0:
            raise FitError(
                f"a log-normal constraint needs a value above zero, not {self.value:g}; leave out "
                "log_normal=True"
            )

    def pull(self, value: float) -> float:
        """Return how many errors a value of the parameter is above the measured one."""
        if not self.log_normal:
            return (value - self.value) / self.error
        if value <= 0:
            return -math.inf
        return math.log(value / self.value) / math.log1p(self.error / self.value)

    def penalty(self, value: float) -> float:
        """Return what it adds to −2 ln L at a value of the parameter: the square of the pull."""
        return self.pull(value) ** 2

    def drawn(self, truth: float, random: np.random.Generator) -> Constraint:
        """Return what another measurement as good would have found, were this the true value."""
        if not self.log_normal:
            return replace(self, value=truth + self.error * random.standard_normal())
        relative = self.error / self.value
        value = truth * math.exp(math.log1p(relative) * random.standard_normal())
        return replace(self, value=value, error=relative * value)


@dataclass(frozen=True)
class Parameter(Term):
    """A number that shapes a component, and how it is fitted.

    Components whose parameters have one name share one fitted value; each sees it times its own
    ``factor``. Arithmetic with parameters and numbers makes expressions, which stand wherever a
    parameter does: ``ratio * total``, ``1 - fraction``.

    Args:
        name: Its name.
        start: Where the fit starts; a fixed parameter stays there.
        limits: How far it may go, to both sides; both are finite.
        unit: Its unit, such as "GeV"; empty for a plain number.
        fixed: Whether it is not fitted.
        factor: What a component multiplies the fitted value by.
        constraint: What is known of it from elsewhere.

    Raises:
        FitError: If ``start`` is not within ``limits``.

    Example:
        >>> Parameter("mean", 1.968, limits=(1.94, 2.00), unit="GeV").start
        1.968
    """

    name: str
    start: float
    limits: tuple[float, float]
    unit: str = ""
    fixed: bool = False
    factor: float = 1.0
    constraint: Constraint | None = None

    def __post_init__(self) -> None:
        low, high = self.limits
        if not (math.isfinite(low) and math.isfinite(high) and low <= self.start <= high):
            raise FitError(
                f"parameter {self.name!r} starts at {self.start:g}, which is not within its limits "
                f"[{low:g}, {high:g}]; give finite limits with the start between them"
            )

    def times(self, factor: float) -> Parameter:
        """Return the same fitted value as seen by a component that multiplies it by ``factor``.

        Example:
            >>> width = Parameter("sigma", 0.012, limits=(0.004, 0.04), unit="GeV")
            >>> width.times(0.95).name, width.times(0.95).factor
            ('sigma', 0.95)
        """
        return replace(self, factor=self.factor * factor)

    def at(self, values: Mapping[str, float]) -> float:  # noqa: D102
        return values[self.name] * self.factor

    @property
    def leaves(self) -> tuple[Parameter, ...]:  # noqa: D102
        return (self,)

    def changed(self, name: str, changes: Mapping[str, Any]) -> Parameter:  # noqa: D102
        return replace(self, **changes) if name == self.name else self


@dataclass(frozen=True)
class FittedParameter:
    """A parameter after the fit.

    Attributes:
        name: Its name; "N(Ds)" for the yield of the component "Ds".
        value: The fitted value, in ``unit``.
        error: The symmetric error of HESSE, in ``unit``; zero for a fixed parameter.
        minos: The asymmetric errors of MINOS, lower < 0 < upper, in ``unit``; None if they were not
            asked for or not found.
        limits: How far it could go, in ``unit``.
        unit: Its unit, such as "GeV"; empty for a plain number.
        fixed: Whether it was not fitted.
    """

    name: str
    value: float
    error: float
    minos: tuple[float, float] | None
    limits: tuple[float, float]
    unit: str
    fixed: bool


class Yield(NamedTuple):
    """A number of candidates in the fit range, and its error."""

    value: float
    error: float


def yield_name(component: str) -> str:
    """Return the name that a component's yield has among the fitted parameters.

    >>> yield_name("Ds")
    'N(Ds)'
    """
    return f"N({component})"
