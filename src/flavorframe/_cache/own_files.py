"""The user's own files in a folder that other users may write to, and none but these.

What another user wrote could say anything, as anybody can make a checksum. So from the folder on,
each name is opened in the folder before it, as `flavorframe._files.descriptors` says.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from flavorframe._files.descriptors import FILE, FOLDER, OTHERS_WRITE, belongs_to_user, opened


def own_name() -> str:
    """Return the name of the user's folder in one that others may write to."""
    return f"user-{os.geteuid()}"


@contextlib.contextmanager
def own_home(folder: Path, *, make: bool = False) -> Iterator[int]:
    """Open the folder for the user's files: this one, or one in it if others may write to it."""
    with opened(folder, FOLDER) as shared:
        status = os.fstat(shared)
        if belongs_to_user(status) and not status.st_mode & OTHERS_WRITE:
            yield shared
            return
        with own_subfolder(shared, own_name(), make=make) as home:
            yield home


@contextlib.contextmanager
def own_subfolder(parent: int, name: str, *, make: bool = False) -> Iterator[int]:
    """Open a folder of the user's, made where asked for, and keep others from writing to it."""
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
    with opened(name, FOLDER | os.O_NOFOLLOW, inside=parent) as place:
        status = os.fstat(place)
        if not belongs_to_user(status):
            raise PermissionError(errno.EPERM, f"{name} in it belongs to another user")
        if status.st_mode & OTHERS_WRITE:
            os.fchmod(place, 0o700)
        yield place


def read_own(place: int, name: str) -> bytes:
    """Return what a file of the user's holds, and note the time of this use."""
    with opened(name, os.O_RDONLY | FILE, inside=place) as descriptor:
        _check(descriptor, name)
        with contextlib.suppress(OSError):
            os.utime(descriptor)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()


def write_own(place: int, unfinished: str, name: str, pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file under an ``unfinished`` name first, so that it is whole or not there."""
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
    """Make a file of the user's longer by so many bytes; return how long it is then."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | FILE
    with opened(name, flags, inside=place) as descriptor:
        _check(descriptor, name)
        os.write(descriptor, bytes(size))  # at the end, whatever other processes write
        return os.fstat(descriptor).st_size


def set_size(place: int, name: str, size: int) -> None:
    """Make a file of the user's as long as so many bytes."""
    with opened(name, os.O_WRONLY | os.O_CREAT | FILE, inside=place) as descriptor:
        _check(descriptor, name)
        os.ftruncate(descriptor, size)


def files_in(place: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the name and status of each file of the user's in a folder."""
    with os.scandir(place) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # removed by another process
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and belongs_to_user(status):
                    yield entry.name, status


def remove(place: int, name: str) -> bool:
    """Remove a file from a folder; return whether it was there and could be removed."""
    try:
        os.unlink(name, dir_fd=place)
    except OSError:
        return False
    return True


def _check(descriptor: int, name: str) -> None:
    """Raise PermissionError unless it is a file of the user's that nobody else can write to."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise PermissionError(errno.EPERM, f"{name} in it is no file of its own")
    if not belongs_to_user(status):
        raise PermissionError(errno.EPERM, f"{name} in it belongs to another user")
    if status.st_mode & OTHERS_WRITE:
        raise PermissionError(errno.EPERM, f"{name} in it can be written to by others")
