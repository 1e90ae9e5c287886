"""Errors in reading: damage, what only uproot can read, and whatever the libraries raise.

Libraries raise whatever they come across in bytes that are not what they should be. All of it
becomes a FileError here, so that a damaged file costs itself and not the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flavorframe._files.remote import access
from flavorframe.errors import AccessError, CredentialError, FileError, FlavorframeError


class DamageError(Exception):
    """Bytes that are not what the file says they are; the text says which."""


class LeftToUprootError(Exception):
    """What the compiled part, or the reading of single pages, does not know: uproot reads it."""


@contextmanager
def file_errors(path: str, failed: str) -> Iterator[None]:
    """Turn what is raised in the block into a FileError: "``path``: ``failed``: the reason".

    flavorframe's own errors are left as they are, but for those of credentials. So are interrupts
    and a lack of memory, for which the file is not to blame.
    """
    try:
        yield
    except CredentialError as error:  # a file that the user renews, and may have spoiled
        raise AccessError(f"{path}: {error}") from error
    except BaseException as error:
        if not is_of_the_file(error):
            raise
        told = access.transport_error(path, error) if access.is_remote(path) else None
        raise told or FileError(f"{path}: {failed}: {reason(error)}") from error


def is_of_the_file(error: BaseException) -> bool:
    """Return whether the bytes can be the cause of an error that a library raised."""
    if isinstance(error, MemoryError | FlavorframeError):
        return False
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"  # Rust's


def reason(error: BaseException) -> str:
    """Return what an error says, in one line, with its type where a library raised it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0].rstrip(",:") if lines else "no reason given"
    return first if isinstance(error, DamageError) else f"{first} ({type(error).__name__})"
