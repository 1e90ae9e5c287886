"""Constants as C++ writes them."""

from __future__ import annotations

import math

import numpy as np

from flavorframe._expr.nodes import Value


def literal(value: Value) -> str:
    """Return a constant as C++.

    >>> literal(True), literal(-3), literal(2**63), literal(0.1), literal("HLT")
    ('true', '-3LL', '9223372036854775808ULL', '0x1.999999999999ap-4', 'std::string("HLT")')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        length = f", {len(value.encode())}" if "\0" in value else ""
        return f"std::string({text(value)}{length})"
    if isinstance(value, float):
        return floating(value)
    if isinstance(value, np.uint64) or value >= 2**63:
        return f"{value}ULL"
    return "std::numeric_limits<long long>::min()" if value == -(2**63) else f"{value}LL"


def floating(value: float) -> str:
    """Return a double as C++, to its last bit."""
    if math.isnan(value):
        return "std::numeric_limits<double>::quiet_NaN()"
    if math.isinf(value):
        return f"{'-' if value < 0 else ''}std::numeric_limits<double>::infinity()"
    return float(value).hex()


def text(value: str) -> str:
    r"""Return a string as C++ writes it.

    >>> print(text('a "φ" cut'))
    "a \"φ\" cut"
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + "".join(c if " " <= c != "\x7f" else f"\\{ord(c):03o}" for c in escaped) + '"'
