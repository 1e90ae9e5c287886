"""Writing files whole or not at all, with errors that name the folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from itertools import count, takewhile
from pathlib import Path

from flavorframe.errors import FlavorframeError, OutputError, RunError

_PLAIN = frozenset("-_.+=,@ ()")
_LONGEST = 150
"""Bytes of a name, of the 255 that most systems take: it gets suffixes and prefixes."""


@contextlib.contextmanager
def replacing(
    path: Path, *, error: type[FlavorframeError] = OutputError, mode: int = 0o666
) -> Iterator[Path]:
    """Yield a hidden file beside ``path``; what is written there takes its place at the end.

    Nothing is left behind where the block fails, and what a killed process left is removed. Raises
    ``error`` where the system does not let the file be written, and where there is a device, a pipe
    or a folder of that name.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt")) as hidden:
    ...         _ = hidden.write_text("whole")
    ...     os.listdir(folder)
    ['a.txt']
    """
    with _replacing(path, error, mode) as (hidden, _):
        yield hidden


@contextlib.contextmanager
def _replacing(path: Path, error: type[FlavorframeError], mode: int) -> Iterator[tuple[Path, int]]:
    """Yield a hidden file as `replacing` does, with a descriptor for writing to it."""
    other = what_else(path)
    if other is not None:
        raise error(f"cannot write {path.name} in folder {path.parent}: it is {other}.")
    with writing(path, error=error):
        hidden, descriptor = hidden_file(path, mode)
    try:
        with writing(path, error=error):
            yield hidden, descriptor
            os.replace(hidden, path)
    except BaseException:  # not otherwise: the name may be another process's by now
        with contextlib.suppress(OSError):  # its folder may not exist any more
            hidden.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def file_name(name: str) -> str:
    """Return the name of the file or folder of what a user has named so; no two names share one.

    Letters and digits stay as they are, and so do most names; what has a meaning in paths, shells
    or ROOT's names of files is written as in URLs, and long names end in a digest.

    >>> file_name("2017B"), file_name("2017/B"), file_name("..")
    ('2017B', '2017%2FB', '%2E.')
    """
    text = "".join(c if c.isalnum() or c in _PLAIN else _escaped(c) for c in name)
    if text.startswith("."):
        text = f"%2E{text[1:]}"
    if len(os.fsencode(text)) > _LONGEST:
        text = f"{text[:40]}%-{sha256(text.encode()).hexdigest()[:32]}"
    return text or "%"


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogatepass"))


def hidden_file(path: Path, mode: int = 0o666) -> tuple[Path, int]:
    """Make an empty file beside ``path``; return it with the descriptor that holds its lock.

    While the descriptor is open nobody else takes it; files of processes that have ended are
    removed. Where the file system has no locks, they stay.
    """
    names = (path.with_name(f".{path.name}.{number}.part") for number in count(1))
    made = ((hidden, _made(hidden, mode)) for hidden in names)
    hidden, descriptor = next((h, d) for h, d in made if d is not None)
    for _ in takewhile(remove_left, names):
        pass
    return hidden, descriptor


def _made(hidden: Path, mode: int) -> int | None:
    """Make the file, or return ``None`` where it is that of a living process."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    remove_left(hidden)
    try:
        descriptor = os.open(hidden, flags, mode)
    except FileExistsError:
        return None
    # In the moment before it is locked somebody may take it for left behind.
    if lock(descriptor) is not False and is_at(descriptor, hidden):
        return descriptor
    os.close(descriptor)
    return None


def lock(descriptor: int) -> bool | None:
    """Lock an open file; false where another process has it, ``None`` where there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def remove_left(hidden: Path) -> bool:
    """Remove a hidden file where the process that wrote it has ended; tell whether it was so."""
    try:
        descriptor = _opened(hidden)
    except OSError:
        return False
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        left = regular and bool(lock(descriptor)) and is_at(descriptor, hidden)
        if left:
            hidden.unlink()
        return left
    except OSError:  # a folder that this user may not change
        return False
    finally:
        os.close(descriptor)


def _opened(hidden: Path) -> int:
    try:
        return os.open(hidden, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except PermissionError:  # what was in the place before, and is not to be written to
        return os.open(hidden, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)


def is_at(descriptor: int, path: Path) -> bool:
    """Return whether an open file is still the one at a path."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    return False


def what_else(path: Path) -> str | None:
    """Return what there is in place of a file, which is not to be written over; else None."""
    try:
        mode = path.stat().st_mode
    except OSError:  # nothing, or as writing will tell
        return None
    if stat.S_ISREG(mode):
        return None
    return "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"


def write_private(path: Path, content: bytes, *, error: type[FlavorframeError] = RunError) -> None:
    """Write a file that only its owner may read, whole or not at all, in place of what lies there.

    Raises ``error`` where the system does not let it be written.
    """
    with (
        _replacing(path, error, 0o600) as (_, descriptor),
        os.fdopen(os.dup(descriptor), "wb") as file,
    ):
        os.fchmod(descriptor, 0o600)
        file.write(content)


@contextlib.contextmanager
def writing(path: Path, *, error: type[FlavorframeError] = OutputError) -> Iterator[None]:
    """Turn the system's errors into ones that name the file and its folder."""
    try:
        yield
    except FlavorframeError:
        raise
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise error(f"cannot write {path.name} in folder {path.parent}: {reason}.") from None


def make_folder(folder: Path) -> None:
    """Make a folder, with those above it; raises RunError where it cannot be written to."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    require_folder(folder)


def require_folder(folder: Path) -> None:
    """Raise RunError, before any work is done, where nothing can be written to a folder."""
    if not folder.is_dir():
        raise OutputError(f"cannot write to {folder}: it is not a folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write to folder {folder}: permission denied.")
