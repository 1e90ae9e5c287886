"""Private copies of credentials, for libraries that read files themselves.

A library opens whatever lies at a path. So it gets the path of a copy of what was judged here, in a
folder that only the user can enter. Each process has its own, and removes it at its end.
"""

from __future__ import annotations

import atexit
import os
import shutil
from pathlib import Path
from threading import RLock

from flavorframe._files import locked_folders
from flavorframe._files.writing import write_private
from flavorframe.errors import CredentialError

PROXY_COPY, TOKEN_COPY = "x509up", "bearer_token"
"""The names of copies."""

_guard = RLock()
_folders: dict[int, Path] = {}
_written: dict[str, bytes] = {}


def private_copy(name: str, content: bytes) -> str:
    """Return the path of a copy, which is the same for each content of a name.

    Args:
        name: What the file is called.
        content: What is to be in it.

    Returns:
        The path of a file of mode 0600, which is replaced as a whole where its content changes.

    Raises:
        CredentialError: It cannot be written.
    """
    with _guard:
        path = _folder() / name
        if _written.get(name) != content or not path.exists():
            write_private(path, content, error=CredentialError)
            _written[name] = content
        return str(path)


def remove_copy(name: str) -> str:
    """Remove a copy, if there is one; return its path, which stays the same."""
    with _guard:
        path = _folder() / name
        if _written.pop(name, None) is not None:
            path.unlink(missing_ok=True)
        return str(path)


def _folder() -> Path:
    """Return the folder of this process: a fork makes another."""
    if os.getpid() not in _folders:
        _tidy_up()
        _written.clear()
        _folders.clear()
        _folders[os.getpid()] = locked_folders.make(_prefix())[0]
        atexit.register(_remove)
    return _folders[os.getpid()]


def _prefix() -> str:
    return f"flavorframe-copies-{os.geteuid()}-"


def _tidy_up() -> None:
    """Remove what processes left behind that were killed."""
    for folder in locked_folders.find(_prefix()):
        try:
            free = locked_folders.is_free(folder)
        except OSError:  # it went away
            continue
        if free:
            shutil.rmtree(folder, ignore_errors=True)


def _remove() -> None:
    folder = _folders.get(os.getpid())
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
