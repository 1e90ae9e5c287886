"""Folders of a facility with the permissions that they need, whatever the umask is."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

from flavorframe.errors import FacilityError


def make_folder(folder: Path, mode: int) -> None:
    """Make a folder, or give one that exists these permissions.

    Args:
        folder: The folder.
        mode: Its permissions.

    """
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    folder.chmod(mode)


def close_to_others(folder: Path) -> None:
    """Give all files in a folder to their owner alone, and the folders as well."""
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


def closed_by(folder: Path) -> str | None:
    """Return whose a folder is that who asks cannot enter; None where one can, or there is none."""
    if not folder.exists() or os.access(folder, os.R_OK | os.X_OK):
        return None
    owner = folder.stat().st_uid
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return f"the account {owner}"


def require_own(folder: Path) -> None:
    """Raise an error if another user could replace a folder or put files into it.

    Args:
        folder: The folder, which need not exist.

    Raises:
        FacilityError: Another user may write it, or a folder that it is in.

    """
    if folder.is_symlink() and folder.lstat().st_uid not in (0, os.geteuid()):
        raise FacilityError(f"{folder} is a link of another user's: choose another --folder.")
    for place in {folder, folder.resolve()}:
        _require_own(place, within=False)
        for above in place.parents:
            _require_own(above, within=True)


def _require_own(place: Path, *, within: bool) -> None:
    """Raise an error if others may write a folder; in one like /tmp they only add to it."""
    try:
        status = place.stat()
    except FileNotFoundError:
        return
    writable = status.st_mode & _writable_by_others(status)
    if writable and within and status.st_mode & stat.S_ISVTX:
        writable = 0
    if writable or status.st_uid not in (0, os.geteuid()):
        raise FacilityError(
            f"other users may write in {place}: they could replace what the facility keeps there. "
            f"Choose another --folder, or run chmod go-w {place} if it is yours."
        )


def _writable_by_others(status: os.stat_result) -> int:
    """Return the permissions by which others write, where a group is of its owner alone."""
    own = status.st_gid == os.getegid()
    return stat.S_IWOTH if own else stat.S_IWOTH | stat.S_IWGRP
