"""The mean of a quantity, and how two of them add up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np

DEVIATIONS = "_sum_of_weighted_deltas_squared"
FIELDS = ("value", "sum_of_weights", "sum_of_weights_squared", DEVIATIONS)
"""What bins of means have, as boost-histogram calls it, in the order of `Mean`."""


@dataclass(frozen=True)
class Mean:
    """The mean of a quantity; those of two datasets add up.

    Attributes:
        value: The mean, NaN where there is no entry.
        sum_of_weights: The number of entries or, with weights, their sum.
        sum_of_squared_weights: The same of the squares.
        sum_of_squared_deviations: That of the weighted squares of the distances from the mean.
    """

    value: float
    sum_of_weights: float
    sum_of_squared_weights: float
    sum_of_squared_deviations: float

    @property
    def deviation(self) -> float:
        """The standard deviation of the quantity, NaN for less than two entries."""
        free = self.sum_of_weights - _ratio(self.sum_of_squared_weights, self.sum_of_weights)
        return math.sqrt(self.sum_of_squared_deviations / free) if free > 0 else math.nan

    @property
    def error(self) -> float:
        """The uncertainty of the mean, as far as it comes from the number of entries."""
        entries = _ratio(self.sum_of_weights**2, self.sum_of_squared_weights)
        return _ratio(self.deviation, math.sqrt(entries)) if entries > 0 else math.nan

    def __add__(self, other: Mean) -> Mean:
        parts = together([np.array(part) for part in astuple(self)], astuple(other))
        return Mean(*(float(part) for part in parts))

    def __repr__(self) -> str:
        return (
            f"<{self.value:.6g} ± {self.error:.2g}, standard deviation {self.deviation:.4g}, "
            f"of {self.sum_of_weights:,.6g}>"
        )


def together(a: Sequence[Any], b: Sequence[Any]) -> tuple[Any, ...]:
    """Return the parts of the means of two samples together."""
    (x, n, squares, deviations), (y, m, more_squares, more_deviations) = a, b
    with np.errstate(all="ignore"):
        mean = np.where(m == 0, x, np.where(n == 0, y, (x * n + y * m) / (n + m)))
        apart = np.where((n == 0) | (m == 0), 0.0, (x - y) ** 2 * n * m / (n + m))
    return mean, n + m, squares + more_squares, deviations + more_deviations + apart


def _ratio(a: float, b: float) -> float:
    return a / b if b else math.nan
