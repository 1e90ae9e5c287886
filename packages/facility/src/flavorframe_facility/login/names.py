"""Names of users: safe as names of accounts and homes, and in addresses."""

from __future__ import annotations

import re

PATTERN = "[a-z][a-z0-9._-]{0,31}"
"""Regular expression of a safe name."""

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
"""Names of accounts of the system or the facility, which are refused."""


def why_unsafe(name: object) -> str | None:
    """Return what is wrong with the name of a user; ``None`` if it is safe.

    A name is refused, never changed: otherwise two people could get the same account.

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
