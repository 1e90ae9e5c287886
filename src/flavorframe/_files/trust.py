"""Whose files may be loaded where loading one means to run what is in it, as with pickles."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path
from typing import BinaryIO

from flavorframe._files.descriptors import FILE, FOLDER, belongs_to_user, opened, user_name
from flavorframe.errors import RunError


def open_own(path: Path) -> BinaryIO:
    """Open a file that nobody but its user, or the system's administrator, can have written.

    It and its folder belong to them, it is a file and no link to one, and others may not write to
    it.

    Args:
        path: The file.

    Returns:
        The file, open for reading.

    Raises:
        RunError: Where others may have written it.
        FileNotFoundError: Where there is no such file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "own")
        ...     _ = file.write_bytes(b"mine")
        ...     file.chmod(0o600)
        ...     with open_own(file) as stream:
        ...         stream.read()
        b'mine'
    """
    try:
        with opened(path.parent, FOLDER) as folder:
            _require_owner(os.fstat(folder), path, "its folder")
            descriptor = os.open(path.name, os.O_RDONLY | FILE, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        if path.is_symlink():
            raise _not_loaded(path, "it is a link") from None
        raise RunError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        _require_own(os.fstat(descriptor), path)
    except RunError:
        os.close(descriptor)
        raise
    return open(descriptor, "rb")


def read_own(path: Path) -> bytes:
    """Return the content of a file; see `open_own`."""
    with open_own(path) as file:
        return file.read()


def _require_own(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _not_loaded(path, "it is not a regular file")
    _require_owner(status, path, "it")
    shared = status.st_mode & stat.S_IWGRP and not _is_private(status.st_gid)
    if shared or status.st_mode & stat.S_IWOTH:
        raise RunError(
            f"{path} is not loaded, since other users can write to it and loading it runs what is "
            f"in it. If you know that nobody did: chmod go-w '{path}'."
        )


def _require_owner(status: os.stat_result, path: Path, what: str) -> None:
    if status.st_uid != 0 and not belongs_to_user(status):
        raise _not_loaded(path, f"{what} belongs to {user_name(status.st_uid)}")


def _not_loaded(path: Path, reason: str) -> RunError:
    return RunError(
        f"{path} is not loaded: {reason}, and loading it runs what is in it as you. If you trust "
        "who wrote it, copy the folder, and load the copy."
    )


def _is_private(group: int) -> bool:
    """Return whether a group is the user's alone, as many systems make one for each user."""
    try:
        user, found = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
    except KeyError:
        return False
    alone = set(found.gr_mem) <= {user.pw_name}
    return found.gr_gid == user.pw_gid and found.gr_name == user.pw_name and alone
