"""ROOT in a child process: a file that crashes it costs that file, and not the session.

The process is started once, while files are being opened, and used again and again. Another takes
its place where it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flavorframe._files.child_process import ChildEndedError, ChildProcess, SharedChild
from flavorframe._shipping import extra_files
from flavorframe.errors import FileError


def start() -> ChildProcess:
    """Return the process, which is started if need be, and do not wait until it has ROOT."""
    return _child.start()


def call(where: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function of a module returns in the process that has ROOT.

    Raises what it raises, and FileError, about the file or files ``where``, if the process ends.
    """
    try:
        return _child.call(_with_extra_files, extra_files.known(), function, arguments)
    except ChildEndedError as end:
        raise FileError(
            f"{where}: ROOT crashed while it was reading ({end}): damaged data, a "
            "function in C++ that fails, or no memory. engine='columnar' may say more."
        ) from None


# in the child


def load_root() -> None:
    """Import ROOT, which takes seconds, while files are being opened."""
    from flavorframe.engines._rdataframe.runtime.root import root

    root().gSystem.ResetSignals()  # ROOT's own handler would look for a debugger, for minutes


def _with_extra_files(
    known: tuple[dict[str, str], dict[str, str]],
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> Any:
    extra_files.replace_all(*known)
    return function(*arguments)


_child = SharedChild(load_root)
