"""Versions of files: what the file system or a server says of them, so that a change is noticed."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from flavorframe._files.remote import access
from flavorframe.errors import FileChangedError

AT_ONCE = 16
"""How many files are asked for at once."""
CHANGED = (
    "the file has changed since the run began: it was replaced, written to or removed. What is "
    "missing of it is not read; run the analysis anew."
)


@dataclass(frozen=True)
class Version:
    """What is different once a file has changed.

    Attributes:
        content: What is the same wherever one asks, such as the size in bytes.
        place: The machine or server that was asked.
        there: What can only be compared with another answer from the same place: other machines
            number their files in another way, and other servers have copies of other dates.

    Example:
        >>> here = Version((4096, 1700000000), "here", (17,))
        >>> here.is_same(Version((4096, 1700000000), "here", (18,)))
        False
        >>> here.is_same(Version((4096, 1700000000), "there", (18,)))
        True
    """

    content: tuple[int | str, ...]
    place: str = ""
    there: tuple[int | str, ...] = ()

    @property
    def size(self) -> int | None:
        """The size of the file in bytes; None where a server does not tell it."""
        first = str(self.content[0]) if self.content else ""
        return int(first) if first.isdigit() else None

    def is_same(self, other: Version) -> bool:
        """Whether both may be of the same file, unchanged."""
        same_there = self.place != other.place or self.there == other.there
        return self.content == other.content and same_there


def version_of(file: str) -> Version | None:
    """Return the version of a file now.

    Args:
        file: Its path or URL; a server is asked once.

    Returns:
        The version, or None for a local file that cannot be opened.

    Raises:
        AccessError: Where the server does not give the file.
        FileError: Where it cannot be asked, or does not answer.
    """
    if access.is_remote(file):
        return Version(*access.version(file))
    try:
        # Opened, because that asks a network's file system for what it has now.
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:  # opening it will say why
        return None
    try:
        status = os.fstat(handle)
    finally:
        os.close(handle)
    # Whole seconds, because some file systems know no more. Without the number of the device, which
    # changes from machine to machine, and when it is mounted again.
    content = (status.st_size, status.st_mtime_ns // 10**9)
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return Version(content, platform.node(), (status.st_ino, *times))


def versions_of(files: Sequence[str]) -> dict[str, Version | None]:
    """Return the versions of several files, which are asked for some at a time."""
    if len(files) < 2:
        return {file: version_of(file) for file in files}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(files, pool.map(version_of, files), strict=True))


def require(file: str, wanted: Version, found: Version | None) -> None:
    """Raise FileChangedError where a file is not of the version that is wanted."""
    if found is None or not wanted.is_same(found):
        raise FileChangedError(f"{file}: {CHANGED}")
