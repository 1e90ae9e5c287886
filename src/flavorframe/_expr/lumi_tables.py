"""Tables by lumi section, as nodes hold them: which sections are listed, or a value for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Section = tuple[int, int, int]
"""A run, and the first and the last of lumi sections that follow each other in it."""

BITS = 32
"""Sections are found by one number, run · 2³² + section."""


@dataclass(frozen=True)
class LumiTable:
    """Ranges of lumi sections in rising order, none in two of them, and a value for each or none.

    The content is part of the plan, so that it is wherever the plan is.

    Attributes:
        name: How formulas call it.
        first: The first section of each range, as an array of bytes.
        last: The last section of each range.
        values: The value of each range (float64).
    """

    name: str
    first: bytes
    last: bytes
    values: bytes | None = None

    @classmethod
    def of(
        cls, name: str, sections: Iterable[Section], values: Iterable[float] | None = None
    ) -> LumiTable:
        """Return the table of ranges, which rise and do not overlap."""
        listed = np.array(list(sections), np.uint64).reshape(-1, 3)
        runs = listed[:, 0] << np.uint64(BITS)
        first, last = ((runs | listed[:, i]).tobytes() for i in (1, 2))
        packed = None if values is None else np.array(list(values), np.float64).tobytes()
        return cls(name, first, last, packed)

    @cached_property
    def numbers(self) -> tuple[Array, Array]:
        """The first and the last section of each range, as run · 2³² + section."""
        return np.frombuffer(self.first, np.uint64), np.frombuffer(self.last, np.uint64)

    @cached_property
    def value_of_range(self) -> Array | None:
        """The value of each range."""
        return None if self.values is None else np.frombuffer(self.values, np.float64)

    def places(self, runs: Array, sections: Array) -> Array:
        """Return the number of the range that each section is in, −1 where it is in none."""
        first, last = self.numbers
        wanted = _numbers(runs) << np.uint64(BITS) | _numbers(sections)
        place: Array = np.searchsorted(first, wanted, side="right") - 1
        inside = (place >= 0) & (wanted <= last[np.maximum(place, 0)])
        return np.where(inside & _fits(runs) & _fits(sections), place, -1)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.first, self.last, self.values)


def _fits(values: Array) -> Array:
    return (values >= 0) & (values < 1 << BITS)


def _numbers(values: Array) -> Array:
    return np.where(_fits(values), values, 0).astype(np.uint64)
