"""Numbers that JSON does not have: NaN and the infinities, as objects that keep every bit."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

KEY = "not finite"
_NAN = struct.pack(">d", math.nan)


def encoded(value: Any) -> Any:
    """Return a value with objects for the floats in it that are not finite.

    >>> encoded({"x": [1.0, math.inf]})
    {'x': [1.0, {'not finite': 'inf'}]}
    """
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {KEY: _word(value)}
    if isinstance(value, Mapping):
        return {key: encoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encoded(item) for item in value]
    return value


def decoded(value: Any) -> Any:
    """Return the float that an object stands for; anything else as it is.

    >>> decoded({"not finite": "-inf"})
    -inf
    """
    if not isinstance(value, dict) or value.keys() != {KEY}:
        return value
    word, _, bits = value[KEY].partition(" ")
    return struct.unpack(">d", bytes.fromhex(bits))[0] if bits else float(word)


def _word(value: float) -> str:
    bits = struct.pack(">d", value)
    return f"nan {bits.hex()}" if math.isnan(value) and bits != _NAN else str(float(value))
