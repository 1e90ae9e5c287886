"""Revoking all logins of a facility while its hub is down."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

DATABASE, COOKIE_SECRET = "jupyterhub.sqlite", "cookie-secret"
"""Names of the hub's database, and of the file with the key that signs cookies."""


def revoke(private: Path) -> None:
    """Revoke the cookies and tokens of all users; those of the facility's own services stay.

    Args:
        private: Folder of secrets and databases of a facility whose hub does not run.

    """
    (private / COOKIE_SECRET).unlink(missing_ok=True)  # the hub makes another
    database = private / DATABASE
    if not database.exists():
        return
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM api_tokens WHERE user_id IS NOT NULL")
        connection.execute("DELETE FROM oauth_codes")
