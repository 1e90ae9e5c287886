"""HTTP: tokens are shown where they belong, and servers that ignore ranges are found out."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flavorframe._files.remote.private_copies import PROXY_COPY, private_copy
from flavorframe._files.remote.private_files import read_private
from flavorframe._files.remote.proxies import certificate_folder, find_proxy_file
from flavorframe._files.remote.tokens import describe, token_text

CONNECTIONS = 16
"""How many connections to one server, at most."""
OF_CONTENT = ("size", "Content-MD5", "Digest", "Repr-Digest")
"""What tells of a file's content, whichever server has a copy of it."""
OF_SERVER = ("ETag", "Last-Modified")
"""What each server makes up for itself."""

_WHOLE = "the server {} sends only whole files: copy the file to a place that can be read in parts."


class RangesError(OSError):
    """A server that sends the whole file where a part was asked for."""


_UNASKED = (403, 405, 501)
"""What servers say that do not answer HEAD."""


async def facts(filesystem: Any, url: str) -> tuple[str, dict[str, str]]:
    """Return the server that a file comes from, and the headers that tell of its content.

    Raises the errors of aiohttp.
    """
    session, address = await filesystem.set_session(), filesystem.encode_url(url)
    async with session.head(address, allow_redirects=True) as response:
        if response.status not in _UNASKED:
            return _told(response)
    async with session.get(address, headers={"Range": "bytes=0-0"}) as response:
        return _told(response)


def _told(response: Any) -> tuple[str, dict[str, str]]:
    response.raise_for_status()
    headers = response.headers
    size = headers.get("Content-Range", "").rpartition("/")[2] or headers.get("Content-Length", "")
    kept = {name: headers[name] for name in (*OF_CONTENT, *OF_SERVER) if name in headers}
    return str(response.url.authority), {"size": size, **kept}


@dataclass(frozen=True)
class Client:
    """Makes sessions with one server: credentials are for it alone, not for where it redirects to.

    ``patience`` is in seconds, ``authorities`` the folder of their certificates.
    """

    host: str
    is_secure: bool
    patience: float
    authorities: str

    async def __call__(self, **settings: Any) -> Any:
        """Return a session of aiohttp."""
        import aiohttp

        context = _Context(self.authorities) if self.is_secure else None
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self.patience, sock_read=self.patience
        )

        async def exchange(request: Any, handler: Any) -> Any:
            if context is not None:
                context.renew()
                request.headers.update(self._authorization(request.url))
            response = await handler(request)
            if response.status == 200 and "Range" in request.headers:
                response.close()
                raise RangesError(_WHOLE.format(self.host))
            return response

        return aiohttp.ClientSession(
            timeout=timeout,
            headers={"Accept-Encoding": "identity"},  # compressed, ranges would mean other bytes
            middlewares=(exchange,),
            connector=aiohttp.TCPConnector(ssl=context or True, limit_per_host=CONNECTIONS),
            **settings,
        )

    def _authorization(self, url: Any) -> dict[str, str]:
        """Return the header that shows the token, read anew each time, as it may be renewed."""
        if url.scheme != "https" or url.host != self.host:
            return {}
        found = token_text()
        if found is None or not describe(*found).is_for(self.host):
            return {}
        return {"Authorization": f"Bearer {found[1]}"}


class _Context(ssl.SSLContext):
    """Trusts the grid's authorities beside the usual ones, and shows the proxy."""

    def __new__(cls, authorities: str) -> _Context:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, authorities: str) -> None:
        self.load_default_certs()
        if os.path.isdir(authorities):
            self.load_verify_locations(capath=authorities)
        self._shown: bytes | None = None

    def renew(self) -> None:
        """Take up a proxy that is new."""
        path = find_proxy_file()
        if path is None or not os.path.lexists(path):
            return
        content = read_private(path, "proxy")
        if content != self._shown:
            self.load_cert_chain(private_copy(PROXY_COPY, content))
            self._shown = content


def client_for(url: str, patience: float) -> Client:
    """Return what makes sessions with the server of a URL."""
    parts = urlsplit(url)
    return Client(parts.hostname or "", parts.scheme == "https", patience, certificate_folder())
