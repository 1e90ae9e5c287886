"""``Float16_t`` and ``Double32_t``: numbers with less precision in the file than in memory.

How many bits they have stands in brackets, in the title of the branch or in the comment of the
member: ``[0, 10, 16]`` says that 0 to 10 are mapped to whole numbers of 16 bits, ``[0, 0, 8]`` that
there are 8 bits of mantissa. The first brackets may be the length of an array. Source: ROOT's
documentation of ``Double32_t``, and TBufferFile.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from flavorframe._rootio.arrays import Array

FLOAT16, DOUBLE32, MEMBER_TYPES = 19, 9, 20
"""ROOT's numbers of the two types; one of the next twenty is an array of the type."""
ARRAYS = 3 * MEMBER_TYPES
"""What comes after the numbers of plain types and arrays of them."""
LEAVES = {"TLeafF16": FLOAT16, "TLeafD32": DOUBLE32}
MANTISSA = 12
"""The bits of a ``Float16_t`` that says nothing."""
FEW = 15
"""With fewer bits, and no range, the number is cut off; with more it is a float."""


@dataclass(frozen=True)
class Narrow:
    """How such a number is stored: as a whole number from ``low`` on, cut off, or as a float.

    Attributes:
        single: Whether it is a float in memory.
        low: What the whole number 0 stands for.
        steps: How many whole numbers there are to 1, where there is a range.
        mantissa: The bits of the mantissa, where the number is cut off.
    """

    single: bool
    low: float = 0.0
    steps: float = 0.0
    mantissa: int = 0

    @property
    def typename(self) -> str:
        """Its type in C++."""
        return "Float16_t" if self.single else "Double32_t"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its type in memory."""
        return np.dtype(np.float32 if self.single else np.float64)

    @property
    def stored(self) -> np.dtype[Any]:
        """The type of what the file has of it, ``width`` times."""
        if self.mantissa:
            return np.dtype(np.uint8)
        return np.dtype(">u4" if self.steps else ">f4")

    @property
    def width(self) -> int:
        """How many numbers the file has of one: three bytes, where it is cut off."""
        return 3 if self.mantissa else 1

    def decoded(self, values: Array) -> Array:
        """Return the numbers, from what the file has of them."""
        if self.mantissa:
            values = self._put_together(values.reshape(-1, self.width).astype(np.uint32))
        elif self.steps:
            values = values / self.steps + self.low
        return values.astype(self.dtype)

    def _put_together(self, three: Array) -> Array:
        """Return floats of a byte of exponent, and two of mantissa with the sign above it."""
        exponent, mantissa = three[:, 0], three[:, 1] << 8 | three[:, 2]
        sign = 1 << (self.mantissa + 1)
        bits = exponent << 23 | (mantissa & (sign - 1)) << (23 - self.mantissa)
        floats = bits.astype(np.uint32).view(np.float32)
        return np.where(mantissa & sign, -floats, floats)


def narrow_of(branch: Any) -> Narrow | None:
    """Return how the numbers of an uproot branch are stored; None for any other."""
    leaves = branch.member("fLeaves")
    if len(leaves) != 1:
        return None
    leaf = leaves[0]
    if leaf.classname in LEAVES:
        return _narrow(LEAVES[leaf.classname], leaf.member("fTitle"))
    number = leaf.member("fType") if leaf.classname == "TLeafElement" else 0
    if not 0 < number < ARRAYS or number % MEMBER_TYPES not in (FLOAT16, DOUBLE32):
        return None
    title = "" if branch.streamer is None else branch.streamer.title
    return _narrow(number % MEMBER_TYPES, title)


def dims_of(branch: Any) -> tuple[int, ...]:
    """Return the fixed lengths of an array of such numbers, the outermost first."""
    title = str(branch.member("fTitle")).split("/")[0]
    dims = tuple(int(length) for length in re.findall(r"\[(\d+)\]", title))
    length = int(branch.member("fLeaves")[0].member("fLen"))
    if math.prod(dims) == length:
        return dims
    return (length,) if length > 1 else ()


def _narrow(kind: int, title: str) -> Narrow:
    low, high, bits = _range(title)
    single = kind == FLOAT16
    if low < high:
        return Narrow(single, low, (2**bits if bits < 32 else 2**32 - 1) / (high - low))
    mantissa = bits if bits < FEW else 0
    return Narrow(single, mantissa=mantissa or (MANTISSA if single else 0))


def _range(title: str) -> tuple[float, float, int]:
    """Return the range and the number of bits that a title has in brackets; zeros without them."""
    for inside in re.findall(r"\[([^\]]*)\]", title)[:2]:
        words = inside.split(",")
        if len(words) > 1:
            bits = int(words[2]) if len(words) > 2 and words[2].strip().isdigit() else 32
            return _limit(words[0]), _limit(words[1]), bits if 2 <= bits <= 32 else 32
    return 0.0, 0.0, 32


def _limit(word: str) -> float:
    """Return a limit of a range: a number, or one in terms of π as ROOT reads it."""
    text = word.lower().replace(" ", "")
    if "pi" not in text:
        return float(text)
    sign = -1 if "-" in text else 1
    for form, factor in (("2pi", 2), ("2*pi", 2), ("twopi", 2), ("pi/2", 0.5), ("pi/4", 0.25)):
        if form in text:
            return sign * factor * math.pi
    return sign * math.pi
