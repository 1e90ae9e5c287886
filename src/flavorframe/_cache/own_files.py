"""One's own files in a folder that others may write to, and none but these.

What another user wrote could say anything, as anybody can make a checksum, and a link could lead
anywhere. So nothing is opened by its path: from the folder on, each name is opened in the folder
before, links are not followed, and what was opened is looked at before it is used.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would be waited for
OTHERS = stat.S_IWGRP | stat.S_IWOTH


def own_name() -> str:
    """Return the name of one's own folder in one that others may write to."""
    return f"user-{os.geteuid()}"


@contextlib.contextmanager
def opened(path: str | Path, flags: int, *, inside: int | None = None) -> Iterator[int]:
    """Open a file or folder, a folder of that descriptor being where its path begins."""
    descriptor = os.open(path, flags, 0o600, dir_fd=inside)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def own_home(folder: Path, *, make: bool = False) -> Iterator[int]:
    """Open the place for one's own files: the folder, or one in it where others may write to it."""
    with opened(folder, FOLDER) as shared:
        status = os.fstat(shared)
        if status.st_uid == os.geteuid() and not status.st_mode & OTHERS:
            yield shared
            return
        with own_subfolder(shared, own_name(), make=make) as home:
            yield home


@contextlib.contextmanager
def own_subfolder(parent: int, name: str, *, make: bool = False) -> Iterator[int]:
    """Open a folder that is one's own, made where asked for, and keep others from writing to it."""
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
    with opened(name, FOLDER | os.O_NOFOLLOW, inside=parent) as place:
        status = os.fstat(place)
        if status.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, f"{name} in it belongs to another user")
        if status.st_mode & OTHERS:
            os.fchmod(place, 0o700)
        yield place


def read_own(place: int, name: str) -> bytes:
    """Return what a file of one's own holds, and note that it was used."""
    with opened(name, os.O_RDONLY | FILE, inside=place) as descriptor:
        _check(descriptor, name)
        with contextlib.suppress(OSError):
            os.utime(descriptor)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()


def write_own(place: int, unfinished: str, name: str, pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file under another name first, so that it is whole or not there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | FILE
    try:
        with opened(unfinished, flags, inside=place) as descriptor:
            _check(descriptor, name)
            with open(descriptor, "wb", closefd=False) as file:
                file.writelines(pieces)
        os.replace(unfinished, name, src_dir_fd=place, dst_dir_fd=place)
    except OSError:
        remove(place, unfinished)
        raise


def add_to_size(place: int, name: str, size: int) -> int:
    """Make a file of one's own longer by so many bytes; return how long it is."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | FILE
    with opened(name, flags, inside=place) as descriptor:
        _check(descriptor, name)
        os.write(descriptor, bytes(size))  # at the end, whatever other processes write
        return os.fstat(descriptor).st_size


def set_size(place: int, name: str, size: int) -> None:
    """Make a file of one's own so long."""
    with opened(name, os.O_WRONLY | os.O_CREAT | FILE, inside=place) as descriptor:
        _check(descriptor, name)
        os.ftruncate(descriptor, size)


def files_in(place: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the name and status of each file of one's own in a folder."""
    with os.scandir(place) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # removed by another process
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                    yield entry.name, status


def remove(place: int, name: str) -> bool:
    """Take a name out of a folder; return whether it was there and could be."""
    try:
        os.unlink(name, dir_fd=place)
    except OSError:
        return False
    return True


def _check(descriptor: int, name: str) -> None:
    """Raise PermissionError for what is not a file of one's own, which nobody else can write to."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise PermissionError(errno.EPERM, f"{name} in it is no file of its own")
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, f"{name} in it belongs to another user")
    if status.st_mode & OTHERS:
        raise PermissionError(errno.EPERM, f"{name} in it can be written to by others")
