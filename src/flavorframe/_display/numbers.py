"""How numbers are written: with no more digits than their errors justify."""

from __future__ import annotations

import math

UNDEFINED = "–"
"""What stands for a number that is not there, such as an efficiency of no candidates."""

_MOST_DECIMALS = 8


def rounded(value: float, error: float) -> str:
    """Write a value to the second significant digit of its error; six digits without an error.

    >>> rounded(1.968351, 0.000421), rounded(5279.83, 175.2), rounded(2.0, 0.0)
    ('1.96835', '5280', '2')
    """
    if not (math.isfinite(value) and _is_positive(error)):
        return f"{value:.6g}"
    return f"{value:.{_decimals(error)}f}"


def with_error(value: float, error: float) -> str:
    """Write value ± error.

    >>> with_error(1.968351, 0.000421)
    '1.96835 ± 0.00042'
    """
    return f"{rounded(value, error)} ± {rounded(error, error)}"


def percent(value: float, low: float, high: float) -> str:
    """Write a fraction in per cent, to two digits of the half-width of its interval.

    >>> percent(0.4, 0.35, 0.45), percent(math.nan, math.nan, math.nan)
    ('40.0', '–')
    """
    if math.isnan(value):
        return UNDEFINED
    return f"{100 * value:.{_decimals_of_percent(low, high)}f}"


def percent_with_interval(value: float, low: float, high: float) -> str:
    """Write a fraction in per cent with the distances to the ends of its interval.

    >>> percent_with_interval(0.4, 0.368, 0.433)
    '40.0 −3.2 +3.3'
    """
    if math.isnan(value):
        return UNDEFINED
    digits = _decimals_of_percent(low, high)
    down, up = value - low, high - value
    return f"{percent(value, low, high)} −{100 * down:.{digits}f} +{100 * up:.{digits}f}"


def seconds(time: float) -> str:
    """Write a time [s] with three digits, or all whole ones from 100 s on.

    >>> seconds(0.0123456), seconds(1234.5)
    ('0.0123', '1,234')
    """
    return f"{time:,.0f}" if time >= 100 else f"{time:.3g}"


def plural(count: int, noun: str) -> str:
    """Return a noun as it goes with a count.

    >>> plural(1, "file"), plural(0, "file")
    ('file', 'files')
    """
    return noun if count == 1 else f"{noun}s"


def _decimals(error: float) -> int:
    """Return the decimals that show two digits of an error."""
    return max(0, 1 - math.floor(math.log10(error)))


def _decimals_of_percent(low: float, high: float) -> int:
    half_width = 50 * (high - low)
    return min(_decimals(half_width), _MOST_DECIMALS) if _is_positive(half_width) else 1


def _is_positive(error: float) -> bool:
    return math.isfinite(error) and error > 0
