"""A client of the hub's API, for those who run the facility: listing and stopping servers."""

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


def servers(settings: Settings, token: str) -> list[Server]:
    """Return the servers that run.

    Args:
        settings: Settings of the facility.
        token: Token of a service of the hub that may list them.

    """
    users = _ask(settings, token, "GET", "/users?state=active") or []
    return [
        Server(
            user["name"], server["started"], server["last_activity"], server["user_options"] or {}
        )
        for user in users
        for server in user["servers"].values()
    ]


def stop_server(settings: Settings, token: str, user: str) -> None:
    """Stop the server of a user.

    Raises:
        FacilityError: There is none, or the hub does not answer.

    """
    _ask(settings, token, "DELETE", f"/users/{quote(user, safe='')}/server")


def stop_servers(settings: Settings, token: str, seconds: float = 90) -> int:
    """Stop all servers.

    Args:
        settings: Settings of the facility.
        token: Token of a service of the hub that may stop them.
        seconds: How long to wait until they have ended.

    Returns:
        The number of servers that ran.

    Raises:
        FacilityError: Some are still stopping, or the hub does not answer.

    """
    found = servers(settings, token)
    with ThreadPoolExecutor(8) as pool:  # the hub answers after a server has ended
        list(pool.map(lambda server: stop_server(settings, token, server.user), found))
    until = time.monotonic() + seconds
    while servers(settings, token):
        if time.monotonic() > until:
            raise FacilityError(f"servers are still stopping after {seconds:.0f} s: try again.")
        time.sleep(0.2)
    return len(found)


def token_of_command_line(settings: Settings) -> str:
    """Return the token of the command line, for hub and gateway."""
    return (settings.private / "service-token").read_text()


def _ask(settings: Settings, token: str, method: str, path: str) -> Any:
    return ask("hub", f"http://127.0.0.1:{settings.hub_port}/hub/api{path}", token, method)
