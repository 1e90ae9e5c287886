"""Names of users: which may become accounts, homes and parts of addresses."""

from __future__ import annotations

import re
from typing import Any

PATTERN = "[a-z][a-z0-9._-]{0,31}"
"""What a name looks like: safe as an account, a folder, and a part of an address."""

RULE = (
    "lower-case letters, digits, dots, hyphens and underscores, a letter first, at most 32 in all"
)
"""The pattern in words."""

RESERVED = frozenset(
    {
        *("adm", "backup", "bin", "daemon", "dask", "ftp", "games", "guest", "halt", "hub"),
        *("jovyan", "jupyter", "jupyterhub", "lp", "mail", "man", "munge", "nobody", "operator"),
        *("proxy", "root", "shutdown", "slurm", "sshd", "sync", "sys", "systemd", "uucp"),
        *("www-data", "xrootd"),
    }
)
"""Names of accounts of the system or the facility, which no user has."""


def why_unsafe(name: Any) -> str | None:
    """Return what is wrong with the name of a user; ``None`` where it is safe.

    A name is refused, never changed: two people could else be given one account.

    >>> why_unsafe("jane.doe")
    >>> why_unsafe("../root")
    "'../root' cannot be a user name here: lower-case letters, digits, dots, hyphens and ..."
    >>> why_unsafe("root")
    "'root' is an account of the system."
    """
    if not isinstance(name, str) or not re.fullmatch(PATTERN, name) or ".." in name:
        return f"{str(name)[:40]!r} cannot be a user name here: {RULE}."
    if name in RESERVED or name.startswith("systemd-"):
        return f"{name!r} is an account of the system."
    return None
