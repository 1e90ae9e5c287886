"""Writing C++ of deep expressions without deep recursion of Python.

A function that writes a piece of C++ is a generator: it yields the pieces that it needs, is sent
their text, and returns its own. So the pieces that wait are in a list. Python's stack would hold
only some hundreds of them, and expressions can be thousands of operations deep.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

AnyDeferred = Generator[Any, Any, Any]
Deferred = Generator[AnyDeferred, Any, str]
"""A piece of C++ that is not written yet."""


def written(deferred: Deferred) -> str:
    """Return the text of a piece, for which all pieces that it needs are written."""
    waiting: list[AnyDeferred] = [deferred]
    result: Any = None
    while waiting:
        try:
            needed = waiting[-1].send(result)
        except StopIteration as end:
            waiting.pop()
            result = end.value
        else:
            waiting.append(needed)
            result = None
    return str(result)


def in_turn(several: Iterable[Deferred]) -> Generator[AnyDeferred, Any, list[str]]:
    """Write several pieces, one after the other."""
    results = []
    for deferred in several:
        results.append((yield deferred))
    return results
