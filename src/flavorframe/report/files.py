"""Writing files whole or not at all, and figures as bytes."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flavorframe.errors import RunError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Dots per inch: a plot of ten inches is sharp at half the width of a page, on dense screens too.
DPI = 100


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a hidden name and move it to its own; raises RunError with the folder."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with _run_errors(path):
        try:
            temporary.write_bytes(content)
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def require_folder(folder: Path) -> None:
    """Raise RunError, before any work is done, where nothing can be written to a folder."""
    if not folder.is_dir():
        raise RunError(f"cannot write to {folder}: it is not a folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RunError(f"cannot write to folder {folder}: permission denied.")


def make_folder(folder: Path) -> None:
    """Make a folder, with those above it; raises RunError where that cannot be done."""
    with _run_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    require_folder(folder)


def image(figure: Figure, format: str = "png") -> bytes:
    """Return a figure as a file of that format, the same bytes for the same figure."""
    stream = io.BytesIO()
    # A PDF would have its date in it.
    metadata = {"CreationDate": None} if format == "pdf" else None
    # A layout engine sees to the margins already, and cutting takes as long as drawing.
    margins = None if figure.get_layout_engine() else "tight"
    figure.savefig(stream, format=format, dpi=DPI, bbox_inches=margins, metadata=metadata)
    return stream.getvalue()


@contextlib.contextmanager
def _run_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunError(f"cannot write {path.name} in folder {path.parent}: {reason}.") from None
