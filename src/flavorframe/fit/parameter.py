"""The parameters that shape a component of a mass model."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from flavorframe.errors import FitError


@dataclass(frozen=True)
class Parameter:
    """A number that shapes a component: where the fit starts, how far it may go, its unit.

    Components whose parameters have one name share one fitted value; each sees it times its own
    ``factor``. A fixed parameter stays at ``start``. Raises FitError if ``start`` is not within
    ``limits``.

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

        >>> width = Parameter("sigma", 0.012, limits=(0.004, 0.04), unit="GeV")
        >>> width.times(0.95).name, width.times(0.95).factor
        ('sigma', 0.95)
        """
        return replace(self, factor=self.factor * factor)
