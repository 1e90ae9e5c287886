"""A client of the hub's API, for the command line: listing and stopping users' servers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flavorframe.errors import FacilityError
from flavorframe_facility.api import ask
from flavorframe_facility.settings import Settings


@dataclass(frozen=True)
class Server:
    """A user's server that runs.

    Args:
        user: Name of the user.
        since: When it was started, in ISO 8601.
        last_used: When it was last used, in ISO 8601.
        options: What the user chose.

    """

    user: str
    since: str
    last_used: str
    options: dict[str, str]


def servers(settings: Settings) -> list[Server]:
    """Return the servers that run."""
    users = _ask(settings, "GET", "/users?state=active") or []
    return [
        Server(
            user["name"], server["started"], server["last_activity"], server["user_options"] or {}
        )
        for user in users
        for server in user["servers"].values()
    ]


def stop_servers(settings: Settings, seconds: float = 90) -> int:
    """Stop all servers.

    Args:
        settings: Settings of the facility.
        seconds: How long to wait until they have ended.

    Returns:
        The number of servers that ran.

    Raises:
        FacilityError: Some are still stopping, or the hub does not answer.

    """
    found = servers(settings)
    paths = [f"/users/{quote(server.user, safe='')}/server" for server in found]
    with ThreadPoolExecutor(8) as pool:  # the hub answers after a server has ended
        list(pool.map(lambda path: _ask(settings, "DELETE", path), paths))
    until = time.monotonic() + seconds
    while servers(settings):
        if time.monotonic() > until:
            raise FacilityError(f"servers are still stopping after {seconds:.0f} s: try again.")
        time.sleep(0.2)
    return len(found)


def token(settings: Settings) -> str:
    """Return the token of the command line, for hub and gateway."""
    return (settings.private / "service-token").read_text()


def _ask(settings: Settings, method: str, path: str) -> Any:
    url = f"http://127.0.0.1:{settings.hub_port}/hub/api{path}"
    return ask("hub", url, token(settings), method)
