"""Names below ``localhost``, which browsers resolve by themselves and Python does not."""

import functools
import socket


def resolve_below_localhost():
    """Have this process take every name below ``localhost`` for loopback, as browsers do."""
    asked = socket.getaddrinfo
    if getattr(asked, "knows_localhost", False):
        return

    @functools.wraps(asked)
    def answered(host, *more, **options):
        below = isinstance(host, str) and host.endswith(".localhost")
        return asked("localhost" if below else host, *more, **options)

    answered.knows_localhost = True
    socket.getaddrinfo = answered
