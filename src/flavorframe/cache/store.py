"""A folder of files named by what they hold, bounded in size and shared by many processes.

A file is written under another name and renamed, so it is whole or not there; its checksum is
tested whenever it is read, so a damaged file is a miss. Nothing is locked: whoever removes a file
that another is reading takes away its name only.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import xxhash

MAGIC = b"flavorframe cache 1\n"
SUFFIX = ".ffc"
LIMIT = 10 * 2**30
"""Bytes that a folder may take by default."""
ABANDONED_SECONDS = 3600.0
"""An unfinished file of this age is of a process that ended."""
CHECKED = 64
"""The folder is measured once for so many files written, and at the first."""
FREED = 0.8
"""The share of the limit that is left when files are removed."""


def default_folder() -> Path:
    """Return ``$FLAVORFRAME_CACHE``, or ``flavorframe`` in the user's folder of caches."""
    named = os.environ.get("FLAVORFRAME_CACHE")
    if named:
        return Path(named).expanduser()
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "flavorframe"


class Store:
    """The files of a cache; ``problem`` says what keeps it from being written, if anything does."""

    def __init__(self, folder: str | os.PathLike[str], limit: int = LIMIT) -> None:
        """``limit`` is in bytes; a little more may be there for a moment."""
        self.folder = Path(folder)
        self.limit = limit
        self.problem = ""
        self._until_check = 0
        self._written = 0

    def get(self, key: str) -> bytes | None:
        """Return the content of that key, or None where there is none that is whole."""
        path = self._path(key)
        try:
            raw = path.read_bytes()
        except OSError:
            return None
        head = len(MAGIC) + 8
        content = raw[head:]
        if raw[:head] != MAGIC + _checksum(key, content):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # the least recently used goes first
        return content

    def put(self, key: str, *pieces: bytes | memoryview) -> None:
        """Keep the content, given in pieces, or note a problem."""
        path = self._path(key)
        unfinished = f"{path}.{secrets.token_hex(4)}.part"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(unfinished, "xb") as file:
                file.write(MAGIC + _checksum(key, *pieces))
                file.writelines(pieces)
            os.replace(unfinished, path)
        except OSError as error:
            self.problem = f"{self.folder}: {error.strerror or error}"
            with contextlib.suppress(OSError):
                os.unlink(unfinished)
            return
        self._written += sum(map(len, pieces))
        self._until_check -= 1
        if self._until_check < 0 or self._written > self.limit // 50:
            self._until_check = CHECKED
            self._written = 0
            self.shrink()

    def shrink(self) -> None:
        """Remove what was used least recently, where there is more than the limit."""
        found = sorted(self._files())
        size = sum(file[1] for file in found)
        if size <= self.limit:
            return
        for _, length, path in found:
            if size <= FREED * self.limit:
                return
            with contextlib.suppress(OSError):
                path.unlink()
            size -= length

    def clear(self) -> tuple[int, int]:
        """Remove all files; return how many there were, and their bytes."""
        number, size = 0, 0
        for _, length, path in self._files():
            with contextlib.suppress(OSError):
                path.unlink()
                number, size = number + 1, size + length
        for folder in self._folders():
            with contextlib.suppress(OSError):
                folder.rmdir()
        return number, size

    def size(self) -> tuple[int, int]:
        """Return how many files there are, and their bytes."""
        lengths = [length for _, length, _ in self._files()]
        return len(lengths), sum(lengths)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}{SUFFIX}"

    def _folders(self) -> list[Path]:
        try:
            return [p for p in self.folder.iterdir() if len(p.name) == 2 and p.is_dir()]
        except OSError:
            return []

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Yield last use, bytes and path of each finished file; remove what is abandoned."""
        for folder in self._folders():
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    yield from self._file(entry)

    def _file(self, entry: os.DirEntry[str]) -> Iterator[tuple[float, int, Path]]:
        unfinished = entry.name.endswith(".part")
        if not unfinished and not entry.name.endswith(SUFFIX):
            return  # not ours
        with contextlib.suppress(OSError):
            status = entry.stat()
            if not unfinished:
                yield status.st_mtime, status.st_size, Path(entry.path)
            elif status.st_mtime < time.time() - ABANDONED_SECONDS:
                os.unlink(entry.path)


def _checksum(key: str, *pieces: bytes | memoryview) -> bytes:
    digest = xxhash.xxh3_64(key.encode())
    for piece in pieces:
        digest.update(piece)
    return digest.digest()
