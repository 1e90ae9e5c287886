"""Writing files whole or not at all, with errors that name the folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from flavorframe.errors import FlavorframeError, RunError


@contextlib.contextmanager
def replacing(path: Path, *, error: type[FlavorframeError] = RunError) -> Iterator[Path]:
    """Yield a hidden name beside ``path``; what is written there takes its place at the end.

    Nothing is left behind where the block fails. Raises ``error`` where the system does not let
    the file be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt")) as hidden:
    ...         _ = hidden.write_text("whole")
    ...     os.listdir(folder)
    ['a.txt']
    """
    hidden = hidden_beside(path)
    try:
        with writing(path, error=error):
            yield hidden
            os.replace(hidden, path)
    finally:
        with contextlib.suppress(OSError):  # its folder may not even exist
            hidden.unlink(missing_ok=True)


def hidden_beside(path: Path) -> Path:
    """Return a name in the same folder that nobody else uses."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def write_private(path: Path, content: bytes, *, error: type[FlavorframeError] = RunError) -> None:
    """Write a file that only its owner may read, whole or not at all, in place of what lies there.

    Raises ``error`` where the system does not let it be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with (
        replacing(path, error=error) as hidden,
        os.fdopen(os.open(hidden, flags, 0o600), "wb") as file,
    ):
        os.fchmod(file.fileno(), 0o600)
        file.write(content)


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
