"""A folder of files named by what they hold, bounded in size and shared by many processes.

A file is written under another name and renamed, so it is whole or not there; its checksum is
tested whenever it is read, so a damaged file counts as none. Nothing is locked: a file that is
removed while another process reads it loses its name only. Each user has files of their own, see
`own_files`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import xxhash

from flavorframe._cache.own_files import (
    add_to_size,
    files_in,
    own_home,
    own_name,
    own_subfolder,
    read_own,
    remove,
    set_size,
    write_own,
)
from flavorframe._files.descriptors import FOLDER, opened

MAGIC = b"flavorframe cache 1\n"
SUFFIX = ".ffc"
LIMIT = 10 * 2**30
"""The bytes that a folder may take by default."""
ABANDONED_SECONDS = 3600.0
"""An unfinished file of this age was left by a process that ended."""
FREED = 0.8
"""The share of the limit to which the folder is brought down when files are removed."""
TALLY = "tally"
"""A file that has a byte for each block written to the folder, by any process.

The sizes of all files are added up only when its own size says that the limit is reached, or when
it is not there."""
BLOCK = 4096


def default_folder() -> Path:
    """Return ``$FLAVORFRAME_CACHE``, or ``flavorframe`` in the user's folder of caches."""
    named = os.environ.get("FLAVORFRAME_CACHE")
    if named:
        return Path(named).expanduser()
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "flavorframe"


class _File(NamedTuple):
    """A finished file and where it is; sorted, those used least recently come first."""

    used: float
    bytes: int
    root: str
    folder: str
    name: str


class Store:
    """The files of a cache.

    Attributes:
        folder: The folder that they are in.
        limit: The bytes that they may take; for a moment it can be a little more.
        problem: Why the last file could not be written, or an empty string.
    """

    def __init__(self, folder: str | os.PathLike[str], limit: int = LIMIT) -> None:
        self.folder = Path(folder)
        self.limit = limit
        self.problem = ""

    def get(self, key: str) -> bytes | None:
        """Return the content of a key, or None where there is none, or a damaged one."""
        name, head = f"{key}{SUFFIX}", len(MAGIC) + 8
        with (
            contextlib.suppress(OSError),
            own_home(self.folder) as home,
            own_subfolder(home, key[:2]) as place,
        ):
            raw = read_own(place, name)
            content = raw[head:]
            if raw[:head] == MAGIC + _checksum(key, content):
                return content
            remove(place, name)
        return None

    def put(self, key: str, *pieces: bytes | memoryview) -> None:
        """Keep a content, given in pieces, or note in ``problem`` why it cannot be."""
        unfinished = f"{key}{SUFFIX}.{secrets.token_hex(4)}.part"
        content = [MAGIC + _checksum(key, *pieces), *pieces]
        blocks = _blocks(sum(map(len, content)))
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with own_home(self.folder, make=True) as home:
                counted = add_to_size(home, TALLY, blocks)
                with own_subfolder(home, key[:2], make=True) as place:
                    write_own(place, unfinished, f"{key}{SUFFIX}", content)
        except OSError as error:
            self.problem = f"{self.folder}: {error.strerror or error}"
            return
        if counted == blocks or counted * BLOCK > self.limit:
            self.shrink()

    def shrink(self) -> None:
        """Add up the sizes of all files, and remove those used least recently above the limit."""
        found = sorted(self._files())
        blocks = sum(_blocks(file.bytes) for file in found)
        for file in found:
            if blocks * BLOCK <= FREED * self.limit:
                break
            self._remove(file)
            blocks -= _blocks(file.bytes)
        with contextlib.suppress(OSError), own_home(self.folder) as home:
            set_size(home, TALLY, 1 + blocks)

    def clear(self) -> tuple[int, int]:
        """Remove all files; return how many there were, and their bytes."""
        removed = [file.bytes for file in list(self._files()) if self._remove(file)]
        with contextlib.suppress(OSError), own_home(self.folder) as home:
            remove(home, TALLY)
            for folder in _folders(home):
                with contextlib.suppress(OSError):
                    os.rmdir(folder, dir_fd=home)
        return len(removed), sum(removed)

    def size(self) -> tuple[int, int]:
        """Return how many files there are, and their bytes."""
        lengths = [file.bytes for file in self._files()]
        return len(lengths), sum(lengths)

    @contextlib.contextmanager
    def _root(self, root: str) -> Iterator[int]:
        with (
            opened(self.folder, FOLDER) as folder,
            opened(root, FOLDER | os.O_NOFOLLOW, inside=folder) as place,
        ):
            yield place

    def _files(self) -> Iterator[_File]:
        """Yield each finished file of the user's own; remove abandoned ones."""
        for root in (".", own_name()):
            with contextlib.suppress(OSError), self._root(root) as home:
                for folder in _folders(home):
                    yield from _files_in(home, root, folder)

    def _remove(self, file: _File) -> bool:
        with (
            contextlib.suppress(OSError),
            self._root(file.root) as home,
            opened(file.folder, FOLDER | os.O_NOFOLLOW, inside=home) as place,
        ):
            return remove(place, file.name)
        return False


def _folders(home: int) -> list[str]:
    """Return the folders that files are spread over by the first two digits of their keys."""
    with os.scandir(home) as entries:
        return [e.name for e in entries if len(e.name) == 2 and e.is_dir(follow_symlinks=False)]


def _files_in(home: int, root: str, folder: str) -> Iterator[_File]:
    long_ago = time.time() - ABANDONED_SECONDS
    with (
        contextlib.suppress(OSError),
        opened(folder, FOLDER | os.O_NOFOLLOW, inside=home) as place,
    ):
        for name, status in files_in(place):
            if name.endswith(SUFFIX):
                yield _File(status.st_mtime, status.st_size, root, folder, name)
            elif name.endswith(".part") and status.st_mtime < long_ago:
                remove(place, name)


def _blocks(size: int) -> int:
    return -(-size // BLOCK)


def _checksum(key: str, *pieces: bytes | memoryview) -> bytes:
    digest = xxhash.xxh3_64(key.encode())
    for piece in pieces:
        digest.update(piece)
    return digest.digest()
