"""Functions that ask for each other's results as deep as expressions go.

They are generators: each yields the steps of what it needs, and is sent the result. So what waits
is held in a list, for Python's stack would hold some hundred of them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

Asked = Generator[Any, Any, Any]
Steps = Generator[Asked, Any, str]
"""The steps to a piece of C++; what they yield is asked for first, and sent to them."""


def finished(steps: Steps) -> str:
    """Take all steps, and those that they ask for, and return the result."""
    waiting: list[Asked] = [steps]
    result: Any = None
    while waiting:
        try:
            asked = waiting[-1].send(result)
        except StopIteration as end:
            waiting.pop()
            result = end.value
        else:
            waiting.append(asked)
            result = None
    return str(result)


def each(several: Iterable[Steps]) -> Generator[Asked, Any, list[str]]:
    """Take the steps to several pieces, one after the other."""
    results = []
    for steps in several:
        results.append((yield steps))
    return results
