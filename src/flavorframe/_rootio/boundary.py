"""The boundary around all that reads files: what fails in it is a failure of the file.

Libraries raise whatever they stumble over in bytes that are not what they should be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flavorframe._files.remote import access
from flavorframe.errors import FileError, FlavorframeError


@contextmanager
def reading(path: str, failed: str) -> Iterator[None]:
    """Turn what is raised in the block into a FileError: "``path``: ``failed``: the reason".

    Errors of our own are left as they are. So are interrupts and a lack of memory, which are not
    the file's.
    """
    try:
        yield
    except BaseException as error:
        if not is_of_the_file(error):
            raise
        told = access.transport_error(path, error) if access.is_remote(path) else None
        raise told or FileError(f"{path}: {failed}: {reason(error)}") from error


def is_of_the_file(error: BaseException) -> bool:
    """Return whether bytes can be to blame for an error that a library raised."""
    if isinstance(error, MemoryError | FlavorframeError):
        return False
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"  # Rust's


def reason(error: BaseException) -> str:
    """Return what an error says, in a line, and its type where it is not ours."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0].rstrip(",:") if lines else "no reason given"
    return first if isinstance(error, DamageError) else f"{first} ({type(error).__name__})"


class DamageError(Exception):
    """Bytes that are not what the file says they are; the text says which."""
