"""Whether users of one machine are isolated: by accounts of their own, which only root can make."""

from __future__ import annotations

import os

from flavorframe.errors import FacilityError
from flavorframe_facility.settings import LOOPBACK, Oidc, Settings


def users_have_accounts() -> bool:
    """Whether each user has an account; otherwise all servers run as the account of the hub."""
    return os.geteuid() == 0


def require_accounts(settings: Settings) -> None:
    """Raise an error where users must have accounts of their own, and do not.

    Args:
        settings: Settings of the facility. On Kubernetes, pods isolate users.

    Raises:
        FacilityError: The login or the address is unsafe where all users share an account.

    """
    if settings.backend != "local" or users_have_accounts():
        return
    if isinstance(settings.login, Oidc):
        raise FacilityError(
            "login by OpenID Connect needs root here: otherwise all servers run as you, and "
            "each user could read the client's secret and the others' tokens."
        )
    if settings.address not in LOOPBACK:
        raise FacilityError(
            f"to listen at {settings.address} it needs root: otherwise all servers run as you, and "
            "whoever logs in can do with your files what you can. Without root, people come "
            "through SSH."
        )
