"""How the hub starts the administrators' page."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

from traitlets.config import Config

from flavorframe_facility.gateway.config import ADMINISTER
from flavorframe_facility.hub.config import add_role
from flavorframe_facility.hub.origins import server_name
from flavorframe_facility.settings import Oidc, Settings

NAME = "administration"
"""Name of the page as a service of the hub."""

TEMPLATES = Path(__file__).parent / "templates"
"""Folder of the page's templates, and of the one of all pages of the hub, with a link to it."""

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
            "display": False,  # the hub's menu of services knows no ports
        }
    )
    add_role(c, NAME, SCOPES)
    c.JupyterHub.template_paths.insert(0, str(TEMPLATES))
    c.JupyterHub.template_vars.update({"administration_url": address(settings)})


def address(settings: Settings) -> str:
    """Return the address of the page, which has an origin of its own as users' servers have.

    >>> from flavorframe_facility.settings import make
    >>> address(make(folder="/srv/facility"))
    'http://service-administration--512afb6c763173d396baa0d08494e584.localhost:8000/services/...'
    """
    place = urlsplit(settings.url)
    name = server_name(NAME, place.hostname or "", "service")
    host = place.netloc.replace(place.hostname or "", name)
    return f"{place.scheme}://{host}/services/{NAME}/"
