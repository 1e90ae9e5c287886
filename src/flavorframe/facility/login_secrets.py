"""Secrets of the facility: files that only the hub may read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from flavorframe._files import writing
from flavorframe._files.writing import make_folder
from flavorframe.errors import FacilityError

PASSWORD = "workshop-password"
"""The file, in the folder of secrets, of the workshop's hashed password."""

CRYPT_KEY = "crypt-key"
"""The file, in the folder of secrets, of the key that users' tokens are encrypted with."""


def read_secret(path: str | os.PathLike[str], what: str) -> str:
    """Return the text of a secret's file, without white space around it.

    Raises FacilityError where it is missing or empty, or where anybody but the hub may read it.
    """
    try:
        with open(path, encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            text = file.read().strip()
    except FileNotFoundError:
        raise FacilityError(f"there is no file {path}, which should hold the {what}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FacilityError(f"the file {path} of the {what} cannot be read: {error}.") from None
    if status.st_mode & _forbidden(status):
        mode = stat.S_IMODE(status.st_mode)
        raise FacilityError(
            f"the file {path} of the {what} has mode {mode:04o}, so that others can read it: run "
            f"chmod 600 {path}, and have a new {what} made if this machine is shared."
        )
    if not text:
        raise FacilityError(f"the file {path}, which should hold the {what}, is empty.")
    return text


def crypt_key(private: Path) -> bytes:
    """Return the key that users' tokens are encrypted with; the first time it is made.

    Raises FacilityError where others may read it.
    """
    path = private / CRYPT_KEY
    if not path.exists():
        make_folder(private)
        write_private(path, secrets.token_hex(32))
    text = read_secret(path, "key of users' tokens")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise FacilityError(
            f"{path} is not a key of 64 hexadecimal digits: remove it, and a new one is made. "
            "Everybody then has to log in once more."
        )
    return key


def write_private(path: Path, text: str) -> None:
    """Write a secret's file, of ASCII; see `flavorframe._files.writing.write_private`.

    Raises FacilityError where the system does not let it be written.
    """
    writing.write_private(path, text.encode("ascii"), error=FacilityError)


def _forbidden(status: os.stat_result) -> int:
    """Return the bits of the mode that must not be set.

    A secret that Kubernetes mounts belongs to root, and the hub reads it by its group.
    """
    mounted = status.st_uid == 0 and os.getuid() != 0
    return stat.S_IRWXO if mounted else stat.S_IRWXO | stat.S_IRWXG
