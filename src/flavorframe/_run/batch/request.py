"""What a job asks of a batch system: memory and time, read from text as users write it."""

from __future__ import annotations

import math
import re

from flavorframe.errors import AnalysisError

_UNITS = {
    "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)", re.IGNORECASE)
_DURATION = re.compile(r"(?:(\d+)-)?(\d+):([0-5]\d):([0-5]\d)")


def mebibytes(name: str, size: str) -> int:
    """Return a size such as "2GB" (10⁹ bytes each) or "2GiB" (2³⁰) in MiB, rounded up.

    >>> mebibytes("memory", "2GB"), mebibytes("memory", "1.5 GiB")
    (1908, 1536)
    """
    match = _SIZE.fullmatch(str(size).strip())
    if match is None or not float(match[1]):
        raise AnalysisError(f'{name}={size!r} is not a size: write it with a unit, such as "2GB".')
    return math.ceil(float(match[1]) * _UNITS[match[2].upper()] / 2**20)


def seconds(time: str) -> int:
    """Return a time such as "01:30:00", or with days "2-00:00:00", in seconds.

    >>> seconds("01:30:00"), seconds("2-00:00:00")
    (5400, 172800)
    """
    match = _DURATION.fullmatch(str(time).strip())
    if match is None:
        raise AnalysisError(
            f"time={time!r} is not a time: write hours, minutes and seconds, such as "
            f'"01:30:00", and days in front of them, "2-00:00:00".'
        )
    days, hours, minutes, rest = (int(group or 0) for group in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def one_line(name: str, text: str) -> str:
    """Return the text; raises AnalysisError where it would break out of its line."""
    if any(character in text for character in "\n\r\0"):
        raise AnalysisError(f"{name}={text!r} must be one line.")
    return text
