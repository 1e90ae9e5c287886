"""The login of a workshop: any name, and a password that all share."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from typing import Any

from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from jupyterhub.handlers import BaseHandler
from tornado import web
from traitlets import List, Unicode

from flavorframe_facility.login.logout import RevokingLogoutHandler
from flavorframe_facility.login.names import why_unsafe
from flavorframe_facility.login.password import is_password
from flavorframe_facility.login.peers import origin

FAILURES_OF_ADDRESS, FAILURES_OF_ALL = 20, 200
"""Wrong passwords a minute from one address (which a class room may share), and from all."""

PAUSE = 10
"""Seconds between two attempts of an address that failed, while there are too many from all."""


class Throttle:
    """Counts failures by key, and says how long to wait after too many of them.

    Args:
        limit: Number of failures within the time.
        seconds: The time.

    """

    def __init__(self, limit: int, seconds: float = 60) -> None:
        self._limit = limit
        self._seconds = seconds
        self._failures: dict[str, deque[float]] = defaultdict(deque)

    def count(self, key: str) -> None:
        """Count a failure."""
        self._failures[key].append(time.monotonic())

    def uncount(self, key: str) -> None:
        """Take the last failure back."""
        if self._failures.get(key):
            self._failures[key].pop()

    def wait(self, key: str) -> float:
        """Return for how many seconds no attempt is allowed; 0 if one is allowed now."""
        now = time.monotonic()
        for known in [*self._failures]:
            self._drop_old(known, now - self._seconds)
        failures = self._failures.get(key)
        if failures is None or len(failures) < self._limit:
            return 0.0
        return failures[0] + self._seconds - now

    def _drop_old(self, key: str, before: float) -> None:
        failures = self._failures[key]
        while failures and failures[0] <= before:
            failures.popleft()
        if not failures:
            del self._failures[key]


class WorkshopAuthenticator(Authenticator):  # type: ignore[misc]
    """Admits any safe name with the shared password, and administrators with theirs."""

    password_hash = Unicode(config=True, help="The hash of the password that all share.")
    admin_password_hash = Unicode(config=True, help="The hash of the administrators' password.")
    trusted_proxies = List(Unicode(), config=True, help="Proxies in front of the facility's own.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._by_address = Throttle(FAILURES_OF_ADDRESS)
        self._of_all = Throttle(FAILURES_OF_ALL)
        self._slow = Throttle(1, PAUSE)

    async def authenticate(
        self, handler: BaseHandler, data: dict[str, str]
    ) -> dict[str, Any] | None:
        """Return the user; ``None`` if the password is wrong.

        Raises:
            web.HTTPError: The name is not allowed (403), or too many passwords were wrong (429).

        """
        name = data.get("username", "")
        wrong = why_unsafe(name)
        if wrong:
            raise web.HTTPError(403, f"{wrong} Choose another name.")
        admin = name in self.admin_users
        hashed = self.admin_password_hash if admin else self.password_hash
        address = origin(handler.request, self.trusted_proxies)
        if not await self._is_right(address, data.get("password", ""), hashed):
            return None
        return {"name": name, "admin": admin}

    def get_handlers(self, app: JupyterHub) -> list[tuple[str, type[BaseHandler]]]:
        """Return the pages of login and logout."""
        return [("/logout", RevokingLogoutHandler), *super().get_handlers(app)]

    async def _is_right(self, address: str, password: str, hashed: str) -> bool:
        wait = self._wait(address)
        if wait:
            raise web.HTTPError(
                429, f"Too many wrong passwords: try again in {int(wait) + 1} seconds."
            )
        # Counted before the check, so that attempts at the same time are limited too.
        counted = ((self._by_address, address), (self._slow, address), (self._of_all, ""))
        for throttle, key in counted:
            throttle.count(key)
        right = await asyncio.to_thread(is_password, password, hashed)
        if right:
            for throttle, key in counted:
                throttle.uncount(key)
        return right

    def _wait(self, address: str) -> float:
        """Return for how many seconds an address may not try.

        While all together fail too often, those who failed have to wait; nobody else is kept out.
        """
        many = self._of_all.wait("") > 0
        return max(self._by_address.wait(address), self._slow.wait(address) if many else 0.0)
