"""Private folders among the temporary files, each of a process that holds a lock in it.

A folder has mode 0700. The system lets go of its lock when the process ends, however it ends: a
folder without its lock was left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from flavorframe._files.descriptors import belongs_to_user

LOCK = "lock"
"""The file in a folder that is locked."""


def make(name: str, files: Mapping[str, str] | None = None) -> tuple[Path, int]:
    """Make a folder, and lock it.

    Args:
        name: What its name begins with.
        files: What is to be in it from the start: texts by the names of files.

    Returns:
        The folder, and the descriptor that holds its lock until it is closed.
    """
    hidden = Path(tempfile.mkdtemp(prefix=f".{name}"))
    try:
        for file, text in (files or {}).items():
            (hidden / file).write_text(text)
        (hidden / LOCK).touch(mode=0o600)
        descriptor = _locked(hidden)
        # It gets its name only now that it is locked: without a lock, others would remove it.
        return hidden.rename(hidden.with_name(hidden.name.removeprefix("."))), descriptor
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise


def find(name: str) -> Iterator[Path]:
    """Yield this user's folders whose names begin with ``name``."""
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{name}*")):
        with contextlib.suppress(OSError):  # it went away
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode) and belongs_to_user(status):
                yield folder


def is_free(folder: Path) -> bool:
    """Return whether the process that had a folder has ended; raises OSError where it is gone."""
    try:
        os.close(_locked(folder))
    except BlockingIOError:
        return False
    return True


def _locked(folder: Path) -> int:
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
