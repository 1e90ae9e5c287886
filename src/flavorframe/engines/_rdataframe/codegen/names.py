"""Names in the strings that RDataFrame parses, which no branch may have.

RDataFrame takes every word of such a string that is the name of a column for that column, also
where it is part of a qualified name: with a branch called ``step`` it would not find the function
``flavorframe::step``. So all words that this engine puts there, besides columns, begin with a
prefix that no word in the name of a branch begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PREFIX = "flavorframe_"

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def unused_prefix(branches: Iterable[str]) -> str:
    """Return a prefix that no word in the names of branches begins with.

    >>> unused_prefix(["Muon_pt", "step"]), unused_prefix(["flavorframe_step", "x"])
    ('flavorframe_', 'flavorframe__')
    """
    words = {word for branch in branches for word in re.findall(r"\w+", branch)}
    prefix = PREFIX
    while any(word.startswith(prefix) for word in words):
        prefix += "_"
    return prefix


def is_readable(column: str) -> bool:
    """Return whether RDataFrame finds a column in its strings, of which it makes a pattern.

    >>> is_readable("Muon.pt"), is_readable("a b"), is_readable("x[0]"), is_readable("µ_pt")
    (True, True, False, False)
    """
    try:
        pattern = re.compile(rf"\b{column.replace('.', chr(92) + '.')}\b", re.ASCII)
    except re.error:
        return False
    return pattern.sub("found", column).strip("()") == "found"


def column_type(number: int) -> str:
    """Return what the C++ type of the branch with this number is called."""
    return f"Column{number}"


def column_name(branch: str, number: int, prefix: str) -> str:
    """Return what the strings call a branch: its own name, or an alias if that is no C++ name."""
    return branch if _COLUMN.fullmatch(branch) else f"{prefix}column_{number}"
