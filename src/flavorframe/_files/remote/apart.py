"""What an XRootD server says of a file, asked by another process.

A process that reads through ROOT has ROOT's client of XRootD, and crashes with a second one.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from threading import Lock
from typing import Any

from flavorframe.errors import FileError, FlavorframeError

_CODE = f"from {__package__} import access; from {__name__} import answer; answer(access.version)"
_lock = Lock()
_asked: list[subprocess.Popen[bytes]] = []


def version(url: str) -> Any:
    """Return what `access.version` returns there; raises the error that it raises there."""
    with _lock:
        found = _ask(url)
    if isinstance(found, FlavorframeError):
        raise found
    return found


def _ask(url: str) -> Any:
    """Ask the process, which is started for the first question and ends with this one."""
    if not _asked:
        pipe = subprocess.PIPE
        _asked.append(subprocess.Popen([sys.executable, "-c", _CODE], stdin=pipe, stdout=pipe))
    process = _asked[0]
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        pickle.dump(url, process.stdin)
        process.stdin.flush()
        return pickle.load(process.stdout)
    except (OSError, EOFError):
        _asked.clear()
        code = process.wait()
        return FileError(f"{url}: the process that asks the server for it ended with {code}.")


def answer(version: Callable[[str], Any]) -> None:
    """Answer what is asked on the standard input until it ends; in a process of its own."""
    while True:
        try:
            url = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            found = version(url)
        except FlavorframeError as error:
            found = error
        pickle.dump(found, sys.stdout.buffer)
        sys.stdout.buffer.flush()
