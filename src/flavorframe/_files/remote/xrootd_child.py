"""Calls that need the XRootD client of the Python package, in a child process.

A process that reads through ROOT has ROOT's client of XRootD, and crashes with a second one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flavorframe._files.child_process import ChildEndedError, SharedChild
from flavorframe.errors import FileError

Result = TypeVar("Result")

_child = SharedChild()


def call(function: Callable[[str], Result], url: str) -> Result:
    """Return what a function returns for a URL in the child process; raises what it raises there.

    Raises FileError where the process ends before.
    """
    try:
        result: Result = _child.call(function, url)
    except ChildEndedError as end:
        raise FileError(
            f"{url}: the process that asks the server for it ended with {end}."
        ) from None
    return result
