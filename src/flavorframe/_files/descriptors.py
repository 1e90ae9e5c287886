"""Opening files of which it matters who could have written them.

A path can lead anywhere, through links that others may change while it is followed. So a folder is
opened first and a file by its name in it, no link is followed at the end, and what was opened is
looked at, by its descriptor, before it is used.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
"""How a folder is opened."""
FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""How a file is opened, besides for reading or writing: opening a pipe would wait for ever."""
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
"""The permissions by which other users can write to a file or folder."""


@contextlib.contextmanager
def opened(path: str | Path, flags: int, *, inside: int | None = None) -> Iterator[int]:
    """Open a file or folder while the context lasts.

    Args:
        path: What to open.
        flags: How, such as `FOLDER`.
        inside: The descriptor of the folder in which the path begins, if it is relative.

    Yields:
        Its descriptor.
    """
    descriptor = os.open(path, flags, 0o600, dir_fd=inside)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def belongs_to_user(status: os.stat_result) -> bool:
    """Return whether a file or folder belongs to the user that this process runs as."""
    return status.st_uid == os.geteuid()


def user_name(number: int) -> str:
    """Return a user as messages name them.

    >>> user_name(0)
    'user root'
    """
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"
