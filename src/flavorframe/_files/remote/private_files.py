"""Files with secrets: read only if they are the user's own, for some lie where anybody may write.

Proxies and tokens are usually in ``/tmp``. Somebody else may have put a file there under the user's
name, a pipe, which never answers, or a link to another file of the user's. So a file is opened
without following a link or waiting, and what was opened is judged, not what has the name.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from flavorframe._files.descriptors import FILE, belongs_to_user, opened, user_name
from flavorframe._files.writing import write_private
from flavorframe.errors import CredentialError

_ELSEWHERE = {
    "proxy": "make yours by flavorframe proxy --out FILE, and set X509_USER_PROXY to it",
    "bearer token": "keep yours elsewhere, and set BEARER_TOKEN_FILE to it",
}
"""What to do where something else is in the usual place."""


class NotOwnError(CredentialError):
    """A file in the place of a credential that is not the user's own, or no file."""


def read_private(path: str, what: str) -> bytes:
    """Return the content of a file that is the user's own, and that only they may read.

    Args:
        path: The file.
        what: What it should hold, for messages, such as "proxy".

    Returns:
        Its content.

    Raises:
        NotOwnError: It belongs to somebody else, or is a link, a pipe, a device or a folder.
        CredentialError: It is missing, cannot be read, or others may read it.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "token")
        ...     with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        ...         _ = file.write(b"secret")
        ...     read_private(path, "bearer token")
        b'secret'
    """
    try:
        with opened(path, os.O_RDONLY | FILE) as descriptor:
            status = os.fstat(descriptor)
            _require_own(path, what, status)
            _require_closed(path, what, status)
            with os.fdopen(os.dup(descriptor), "rb") as file:
                return file.read()
    except FileNotFoundError:
        raise CredentialError(f"there is no {what} {path}.") from None
    except CredentialError:
        raise
    except OSError as error:
        require_own_name(path, what)
        raise CredentialError(f"the {what} {path} cannot be read: {error.strerror}.") from None


def write_own(path: str, content: bytes, what: str) -> None:
    """Write a file that only the user may read, whole or not at all, in place of what lies there.

    Raises CredentialError where it cannot be written, for example because the name is taken by
    somebody else.
    """
    try:
        write_private(Path(path), content, error=CredentialError)
    except CredentialError as error:
        taken = "".join(f" {stranger}" for stranger in strangers([path], what))
        raise CredentialError(f"{error}{taken}") from None


def is_own(path: str) -> bool:
    """Return whether there is a file of the user's own by this name, and no link to one."""
    status = _status(path)
    return status is not None and _why_not_own(status) is None


def require_own_name(path: str, what: str) -> None:
    """Raise NotOwnError where something of this name is not the user's own file."""
    status = _status(path)
    if status is not None:
        _require_own(path, what, status)


def strangers(places: Iterable[str], what: str) -> list[str]:
    """Return what is wrong with files that are not the user's own, where ``what`` should be."""
    found = []
    for path in places:
        try:
            require_own_name(path, what)
        except NotOwnError as error:
            found.append(str(error))
    return found


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:  # nothing there, or as reading it will tell
        return None


def _require_own(path: str, what: str, status: os.stat_result) -> None:
    reason = _why_not_own(status)
    if reason is not None:
        advice = f", or {_ELSEWHERE[what]}" if what in _ELSEWHERE else ""
        raise NotOwnError(f"the {what} {path} is not used: {reason}{advice}.")


def _require_closed(path: str, what: str, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise CredentialError(
            f"the {what} {path} has mode {mode:04o}, so that others can read it: run "
            f"chmod 600 {path}, and make a new one if this machine is shared."
        )


def _why_not_own(status: os.stat_result) -> str | None:
    """Return why a file is not the user's own, and what to do; ``None`` where it is."""
    if not belongs_to_user(status):
        return f"it belongs to {user_name(status.st_uid)}, not to you. Have it removed"
    if stat.S_ISLNK(status.st_mode):
        return "it is a link. Put the file itself there"
    if not stat.S_ISREG(status.st_mode):
        return f"it is {_kind(status.st_mode)}. Remove it"
    return None


def _kind(mode: int) -> str:
    return "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
