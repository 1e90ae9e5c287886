"""Parameters before and after the fit, and the yields of components."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from flavorframe.errors import FitError


@dataclass(frozen=True)
class Parameter:
    """A number that shapes a component, and how it is fitted.

    Components whose parameters have one name share one fitted value; each sees it times its own
    ``factor``.

    Args:
        name: Its name.
        start: Where the fit starts; a fixed parameter stays there.
        limits: How far it may go, to both sides; both are finite.
        unit: Its unit, such as "GeV"; empty for a plain number.
        fixed: Whether it is not fitted.
        factor: What a component multiplies the fitted value by.

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
