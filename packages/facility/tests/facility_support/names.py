"""Names below ``localhost``, and their cookies, as browsers treat them and Python does not.

So is ``facility.test``, the name of the facility with TLS.
"""

import functools
import http.cookiejar
import socket

HOST = ".localhost"


def treat_localhost_as_browsers_do():
    """Take names below ``localhost`` for loopback, and cookies for ``localhost`` for its own."""
    if getattr(socket.getaddrinfo, "knows_localhost", False):
        return
    socket.getaddrinfo = _resolving(socket.getaddrinfo)
    policy = http.cookiejar.DefaultCookiePolicy
    for name in ("set_ok_domain", "return_ok_domain"):
        setattr(policy, name, _taking_cookies(getattr(policy, name)))


def _resolving(ask):
    @functools.wraps(ask)
    def answered(host, *more, **options):
        below = isinstance(host, str) and host.endswith((HOST, "facility.test"))
        return ask("localhost" if below else host, *more, **options)

    answered.knows_localhost = True
    return answered


def _taking_cookies(check):
    @functools.wraps(check)
    def checked(policy, cookie, request):
        if cookie.domain == HOST:
            return http.cookiejar.request_host(request) == "localhost"
        return check(policy, cookie, request)

    return checked
