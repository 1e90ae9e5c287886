"""An origin for each user's server, so that browsers keep the pages of users apart.

What a server shows is its user's choice. At the hub's own origin, its pages could use the session
of whoever looks at them.
"""

from __future__ import annotations

import hashlib
import re

from traitlets.config import Config

from flavorframe.errors import FacilityError
from flavorframe_facility.settings import Oidc, Settings

PLAIN = "[a-z0-9]+(-[a-z0-9]+)*"
"""Names of users that are labels in the DNS as they are; they have no two hyphens in a row."""


def configure(c: Config, settings: Settings) -> None:
    """Configure the names below the facility's, at which users' servers are.

    Args:
        c: Configuration of JupyterHub, which is changed.
        settings: Settings of the facility.

    Raises:
        FacilityError: A facility on Kubernetes has no domain.

    """
    if settings.backend == "kubernetes" and settings.domain is None:
        raise FacilityError(
            "facility.domain is not set: each user's server gets a name of its own below it."
        )
    c.JupyterHub.subdomain_host = settings.url.rstrip("/")
    c.JupyterHub.subdomain_hook = server_name
    # Otherwise a server could set cookies for the whole domain, and so for the hub.
    c.JupyterHub.cookie_host_prefix_enabled = settings.url.startswith("https:")
    c.Spawner.disable_user_config = True
    if isinstance(settings.login, Oidc):
        c.OpenIDAuthenticator.oauth_callback_url = f"{settings.url}hub/oauth_callback"


def server_name(name: str, domain: str, kind: str) -> str:
    """Return the name in the DNS of a user's server, or of a service of the hub.

    JupyterHub's own rule shortens the hash of a name so much that somebody could find another name
    with the same hash, and so get the origin of a colleague.

    Args:
        name: Name of the user or the service.
        domain: Name of the facility in the DNS.
        kind: ``"user"`` or ``"service"``.

    >>> server_name("alice", "facility.example.org", "user")
    'alice.facility.example.org'
    >>> server_name("jane.doe", "localhost", "user")
    'user-janedoe--d48722fc2e5ea8d2f4b54f8509312bb6.localhost'
    """
    if kind == "user" and re.fullmatch(PLAIN, name):
        return f"{name}.{domain}"
    readable = re.sub("[^a-z0-9]", "", name)[:16]
    unique = hashlib.sha256(name.encode()).hexdigest()[:32]
    return f"{kind}-{readable}--{unique}.{domain}"
