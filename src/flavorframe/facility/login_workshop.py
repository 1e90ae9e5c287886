"""The login of a workshop: a name of one's own, and a password that all share."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import defaultdict, deque
from typing import Any

from jupyterhub.auth import Authenticator
from tornado import web
from traitlets import Unicode

from flavorframe.facility.login_names import why_unsafe

FAILURES_OF_ADDRESS, FAILURES_OF_ALL = 20, 200
"""How many wrong passwords a minute are borne from one address (a class room may share it)."""

_COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MB and some 50 ms a try


def hash_password(password: str) -> str:
    """Return what is kept of a password: salt and scrypt hash (RFC 7914), in hexadecimal.

    >>> is_password("seven charming muons", hash_password("seven charming muons"))
    True
    """
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{_scrypt(password, salt).hex()}"


def is_password(password: str, hashed: str) -> bool:
    """Return whether a password is the one that was hashed, in a time that tells nothing."""
    salt, _, digest = hashed.partition(":")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(digest))


class Throttle:
    """Counts failures by key, and says when too many were within a minute."""

    def __init__(self, limit: int, seconds: float = 60) -> None:
        self._limit = limit
        self._seconds = seconds
        self._failures: dict[str, deque[float]] = defaultdict(deque)

    def count(self, key: str) -> None:
        """Count a failure."""
        self._failures[key].append(time.monotonic())

    def uncount(self, key: str) -> None:
        """Take back the last failure: it was none."""
        if self._failures.get(key):
            self._failures[key].pop()

    def wait(self, key: str) -> float:
        """Return for how many seconds nothing more should be tried; 0 where it may be."""
        now = time.monotonic()
        for known in [*self._failures]:
            self._forget(known, now - self._seconds)
        failures = self._failures.get(key)
        if failures is None or len(failures) < self._limit:
            return 0.0
        return failures[0] + self._seconds - now

    def _forget(self, key: str, before: float) -> None:
        failures = self._failures[key]
        while failures and failures[0] <= before:
            failures.popleft()
        if not failures:
            del self._failures[key]


class WorkshopAuthenticator(Authenticator):  # type: ignore[misc]
    """Lets in any safe name with the shared password, administrators with theirs."""

    password_hash = Unicode(config=True, help="The hash of the password that all share.")
    admin_password_hash = Unicode(config=True, help="The hash of the administrators' password.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._by_address = Throttle(FAILURES_OF_ADDRESS)
        self._of_all = Throttle(FAILURES_OF_ALL)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """Return the user of the right password; ``None`` where it is wrong."""
        name = data.get("username", "")
        wrong = why_unsafe(name)
        if wrong:
            raise web.HTTPError(403, f"{wrong} Choose another name.")
        admin = name in self.admin_users
        hashed = self.admin_password_hash if admin else self.password_hash
        address = _network(handler.request.remote_ip)
        if not await self._is_right(address, data.get("password", ""), hashed):
            return None
        return {"name": name, "admin": admin}

    async def _is_right(self, address: str, password: str, hashed: str) -> bool:
        throttles = [(self._by_address, address), (self._of_all, "")]
        wait = max(throttle.wait(key) for throttle, key in throttles)
        if wait:
            raise web.HTTPError(
                429, f"Too many wrong passwords: try again in {int(wait) + 1} seconds."
            )
        for throttle, key in throttles:  # before, or many tries at once would be a way around
            throttle.count(key)
        right = await asyncio.to_thread(is_password, password, hashed)
        if right:
            for throttle, key in throttles:
                throttle.uncount(key)
        return right


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)


def _network(address: str) -> str:
    """Return the address, or what an IPv6 address has in common with others of one machine."""
    return ":".join(address.split(":")[:4]) if ":" in address else address
