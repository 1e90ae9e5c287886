"""Asking the APIs of hub and gateway on this machine."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from flavorframe.errors import FacilityError

_TIMEOUT = 60  # seconds; the hub answers after a server has ended


def ask(who: str, url: str, token: str, method: str = "GET") -> Any:
    """Return what a program of the facility answers, from JSON.

    Args:
        who: Name of the program, for messages.
        url: Address, on this machine.
        token: Token of the hub.
        method: HTTP method.

    Raises:
        FacilityError: It does not answer, or refuses.

    """
    headers = {"Authorization": f"token {token}"}
    request = urllib.request.Request(url, method=method, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT) as answer:
            content = answer.read()
    except OSError as error:
        raise FacilityError(f"the {who} does not answer {method} {url}: {error}.") from error
    return json.loads(content) if content else None
