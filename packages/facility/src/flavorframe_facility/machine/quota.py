"""How much users may keep on the disk of one machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from flavorframe.errors import FacilityError
from flavorframe_facility.machine.accounts import Account
from flavorframe_facility.settings import GB, Settings

_BLOCK = 512  # bytes of the unit of st_blocks


def require(settings: Settings, owner: Account) -> None:
    """Raise an error if a home is larger than homes may be.

    Args:
        settings: Settings of the facility.
        owner: Account of the user.

    Raises:
        FacilityError: The home is too large; the text says what to do.

    """
    if settings.home_quota is None:
        return
    used = size(owner.home)
    if used > settings.home_quota * GB:
        raise FacilityError(
            f"your home takes {used / GB:.1f} GB, and no more than {settings.home_quota} GB are "
            "allowed: ask those who run the facility to remove files, or for more."
        )


def size(folder: Path) -> int:
    """Return what the files in a folder take on the disk, in bytes.

    Links are not followed, not even those that a user makes meanwhile; a file that has several
    names counts once.
    """
    seen: set[tuple[int, int]] = set()
    total = 0
    for _, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *files):
            try:
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError:  # removed meanwhile
                continue
            if (found.st_dev, found.st_ino) not in seen:
                total += found.st_blocks * _BLOCK
            if found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
                seen.add((found.st_dev, found.st_ino))
    return total
