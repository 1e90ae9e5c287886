"""From where a request comes, whatever its headers say."""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tornado.httputil import HTTPServerRequest

CONNECTIONS = Path("/proc/net/tcp")
_ESTABLISHED = "01"


def origin(request: HTTPServerRequest, trusted: Collection[str]) -> str:
    """Return from where a request comes: an address, a network, or an account of this machine.

    Any client can send ``X-Real-Ip`` and ``X-Forwarded-For``. The facility's own proxy appends the
    address of its client to the latter, so that its last word is true; but only if it is the
    proxy that asks, and not a user of this machine, who reaches the hub as well.

    Args:
        request: The request.
        trusted: Addresses of proxies in front of the facility's own, which append as well.

    """
    connection: Any = request.connection  # Tornado's types leave out the context
    address, port = connection.context.address[:2]
    if not ipaddress.ip_address(address).is_loopback:
        return network(address)
    account = _account_of(address, port)
    if account != os.geteuid():
        return f"account {account}"
    passed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    for client in reversed(passed):
        if client not in trusted:
            return network(client or address)
    return network(address)


def network(address: str) -> str:
    """Return an IPv4 address, or the /64 network in which a machine has many IPv6 addresses.

    >>> network("192.0.2.1"), network("::ffff:192.0.2.1"), network("2001:db8::7")
    ('192.0.2.1', '192.0.2.1', '2001:db8::/64')
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    mapped = known.ipv4_mapped
    return str(mapped or ipaddress.ip_network((known, 64), strict=False))


def _account_of(address: str, port: int) -> int | None:
    """Return the number of the account that has the other end of a connection."""
    wanted = f"{int.from_bytes(ipaddress.ip_address(address).packed, 'little'):08X}:{port:04X}"
    with contextlib.suppress(OSError):
        for line in CONNECTIONS.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1] == wanted and fields[3] == _ESTABLISHED:
                return int(fields[7])
    return None
