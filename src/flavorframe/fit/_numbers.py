"""Writing numbers with as many digits as their errors leave meaning to."""

from __future__ import annotations

import math


def rounded(value: float, error: float) -> str:
    """Write a value to the second significant digit of its error; six digits without an error.

    >>> rounded(1.968351, 0.000421), rounded(5279.83, 175.2), rounded(2.0, 0.0)
    ('1.96835', '5280', '2')
    """
    if not (math.isfinite(value) and math.isfinite(error) and error > 0):
        return f"{value:.6g}"
    return f"{value:.{max(0, 1 - math.floor(math.log10(error)))}f}"


def with_error(value: float, error: float) -> str:
    """Write value ± error.

    >>> with_error(1.968351, 0.000421)
    '1.96835 ± 0.00042'
    """
    return f"{rounded(value, error)} ± {rounded(error, error)}"
