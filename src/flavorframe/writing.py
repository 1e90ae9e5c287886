"""Writing files whole or not at all, with errors that name the folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from flavorframe.errors import FlavorframeError, RunError

_PLAIN = frozenset("-_.+=,@ ()")
_LONGEST = 150
"""Bytes of a name, of the 255 that most systems take: it gets suffixes and prefixes."""


@contextlib.contextmanager
def replacing(path: Path, *, error: type[FlavorframeError] = RunError) -> Iterator[Path]:
    """Yield a hidden name beside ``path``; what is written there takes its place at the end.

    Nothing is left behind where the block fails. Raises ``error`` where the system does not let
    the file be written, and where there is a device, a pipe or a folder of that name.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt")) as hidden:
    ...         _ = hidden.write_text("whole")
    ...     os.listdir(folder)
    ['a.txt']
    """
    other = what_else(path)
    if other is not None:
        raise error(f"cannot write {path.name} in folder {path.parent}: it is {other}.")
    hidden = hidden_beside(path)
    try:
        with writing(path, error=error):
            yield hidden
            os.replace(hidden, path)
    finally:
        with contextlib.suppress(OSError):  # its folder may not even exist
            hidden.unlink(missing_ok=True)


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


def hidden_beside(path: Path) -> Path:
    """Return a name in the same folder that nobody else uses."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


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
    with replacing(path, error=error) as hidden, open(hidden, "wb", opener=private) as file:
        file.write(content)


def private(path: str, flags: int) -> int:
    """Open a new file that only its owner may read, as the ``opener`` of `open`."""
    descriptor = os.open(path, flags | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


@contextlib.contextmanager
def writing(path: Path, *, error: type[FlavorframeError] = RunError) -> Iterator[None]:
    """Turn the system's errors into ones that name the file and its folder."""
    try:
        yield
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
        raise RunError(f"cannot write to {folder}: it is not a folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RunError(f"cannot write to folder {folder}: permission denied.")
