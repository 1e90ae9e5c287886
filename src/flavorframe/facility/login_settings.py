"""What an administrator chooses of the login by OpenID Connect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SCOPES = ("openid", "profile", "offline_access")
"""Who somebody is, the name and groups, and a refresh token."""


@dataclass(frozen=True)
class OpenID:
    """An OpenID provider, the hub's client there, and who gets in.

    ``secret_file`` holds the client's secret and nobody but the hub may read it; ``contact`` is
    whom people ask who are not let in; ``username_claim`` is what of the provider's names is the
    user's name here; ``scopes`` are asked for besides, for access tokens that servers of files
    take: ``("wlcg.groups", "storage.read:/")``.
    """

    issuer: str
    client_id: str
    secret_file: Path
    user_group: str
    admin_group: str = ""
    contact: str = ""
    service: str = "INDIGO IAM"
    username_claim: str = "preferred_username"
    scopes: tuple[str, ...] = ()
