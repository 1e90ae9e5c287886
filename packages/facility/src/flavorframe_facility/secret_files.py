"""Files with secrets, which only the account of the hub may read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from flavorframe._files import writing
from flavorframe._files.writing import make_folder
from flavorframe.errors import FacilityError

PASSWORD = "workshop-password"
"""Name of the file with the hash of the workshop's password."""

CRYPT_KEY = "crypt-key"
"""Name of the file with the key that users' tokens are encrypted with."""


def read_secret(path: str | os.PathLike[str], what: str) -> str:
    """Return the text of a file with a secret, without white space around it.

    Args:
        path: The file.
        what: What the secret is, for messages.

    Raises:
        FacilityError: The file is missing or empty, or others than the hub may read it.

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
    """Return the key that users' tokens are encrypted with; the first call makes it.

    Args:
        private: The hub's folder of secrets.

    Raises:
        FacilityError: Others may read the key, or it is damaged.

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
    """Write a secret, of ASCII, into a file of mode 0600.

    Raises:
        FacilityError: The file cannot be written.

    """
    writing.write_private(path, text.encode("ascii"), error=FacilityError)


def _forbidden(status: os.stat_result) -> int:
    """Return the permissions that a file with a secret must not have.

    A secret that Kubernetes mounts belongs to root, and the hub reads it as a member of its group.
    """
    mounted = status.st_uid == 0 and os.getuid() != 0
    return stat.S_IRWXO if mounted else stat.S_IRWXO | stat.S_IRWXG
