"""How the hub starts the administrators' page."""

from __future__ import annotations

import sys

from traitlets.config import Config

from flavorframe_facility.gateway.config import ADMINISTER
from flavorframe_facility.hub.config import add_role
from flavorframe_facility.settings import Oidc, Settings

NAME = "administration"
"""Name of the page as a service of the hub."""

SCOPES = ["list:users", "read:users", "read:servers", "delete:servers", ADMINISTER]
"""What the page itself may do. Who may open it is the hub's rule: administrators."""


def configure(c: Config, settings: Settings) -> None:
    """Add the page, where there can be administrators.

    Args:
        c: Configuration of JupyterHub, which is changed.
        settings: Settings of the facility.

    """
    if not isinstance(settings.login, Oidc) or settings.login.admin_group is None:
        return
    module = "flavorframe_facility.machine.administration.service"
    c.JupyterHub.services.append(
        {
            "name": NAME,
            "url": f"http://127.0.0.1:{settings.administration_port}",
            "command": [sys.executable, "-m", module, str(settings.folder)],
            "oauth_no_confirm": True,  # it is the facility's own
        }
    )
    add_role(c, NAME, SCOPES)
