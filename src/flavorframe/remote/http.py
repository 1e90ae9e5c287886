"""HTTP: tokens are shown where they belong, and servers that ignore ranges are found out."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flavorframe.remote.proxies import certificate_folder, proxy_path
from flavorframe.remote.tokens import describe, token_text


class RangesError(OSError):
    """A server that sends the whole file where a part was asked for."""


@dataclass(frozen=True)
class Client:
    """Makes sessions with one server: credentials are for it alone, not for where it redirects to.

    ``patience`` is in seconds.
    """

    host: str
    is_secure: bool
    patience: float

    async def __call__(self, **settings: Any) -> Any:
        """Return a session of aiohttp."""
        import aiohttp

        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self.patience, sock_read=self.patience
        )
        secured = {"connector": aiohttp.TCPConnector(ssl=_tls())} if self.is_secure else {}
        return aiohttp.ClientSession(
            timeout=timeout,
            headers={"Accept-Encoding": "identity"},  # compressed, ranges would mean other bytes
            middlewares=(self._exchange,),
            **secured,
            **settings,
        )

    async def _exchange(self, request: Any, handler: Any) -> Any:
        if self.is_secure and request.url.scheme == "https" and request.url.host == self.host:
            request.headers.update(_authorization(self.host))
        response = await handler(request)
        if response.status == 200 and "Range" in request.headers:
            response.close()
            raise RangesError(
                f"the server {self.host} sends only whole files: copy the file to a place that can "
                "be read in parts."
            )
        return response


def client_for(url: str) -> Client:
    """Return what makes sessions with the server of a URL."""
    from flavorframe.remote.access import PATIENCE

    parts = urlsplit(url)
    return Client(parts.hostname or "", parts.scheme == "https", PATIENCE)


def _authorization(host: str) -> dict[str, str]:
    """Return the header that shows the token, read anew each time, as it may be renewed."""
    found = token_text()
    if found is None or not describe(*found).is_for(host):
        return {}
    return {"Authorization": f"Bearer {found[1]}"}


def _tls() -> ssl.SSLContext:
    """Return a context that trusts the grid's authorities too, and shows the proxy."""
    context = ssl.create_default_context()
    if os.path.isdir(certificate_folder()):
        context.load_verify_locations(capath=certificate_folder())
    if os.path.exists(proxy_path()):
        context.load_cert_chain(proxy_path())
    return context
