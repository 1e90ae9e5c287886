"""Dashboards of Dask clusters, behind the gateway, for the owner of each."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

import aiohttp
from aiohttp import web
from dask_gateway_server.backends.base import Backend

from flavorframe_facility.gateway.authentication import HubAuthenticator

WebSocket: TypeAlias = aiohttp.ClientWebSocketResponse | web.WebSocketResponse

FORWARDED = ("Accept", "Accept-Language", "If-Modified-Since", "If-None-Match", "User-Agent")
RETURNED = ("Content-Type", "Cache-Control", "ETag", "Last-Modified", "Location")

FROM_BROWSER, FROM_SCHEDULER = 1 << 20, 8 << 20
"""Bytes of the largest message of a web socket. Both ends are programs of users, and a message is
kept in the gateway's memory until it is complete."""

SOCKETS = 64
"""Number of web sockets that one user can have open at a time."""


class Dashboards:
    """Forwards requests for dashboards, with the certificate of the cluster.

    Neither tokens nor cookies are forwarded: the scheduler is a process of a user.
    """

    def __init__(self, backend: Backend, authenticator: HubAuthenticator) -> None:
        self._backend, self._authenticator = backend, authenticator
        self._open: Counter[str] = Counter()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; 404 if the user has no cluster of that name."""
        user = await self._authenticator.authenticate(request)
        cluster = await self._backend.get_cluster(request.match_info["name"])
        if cluster is None or cluster.username != user.name or not cluster.dashboard_address:
            raise web.HTTPNotFound(reason="you have no cluster of that name")
        place = cluster.dashboard_address.partition("://")[2]
        url = f"https://{place}/{request.match_info['path']}"
        if request.query_string:
            url += f"?{request.query_string}"
        session, tls = self._backend.session, _context(cluster.tls_cert, cluster.tls_key)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            with self._counted(user.name):
                return await _relay_websocket(request, session, url, tls)
        return await _forward(request, session, url, tls)

    @contextlib.contextmanager
    def _counted(self, user: str) -> Iterator[None]:
        """Count a web socket of a user while it is open; 429 if there are too many."""
        if self._open[user] >= SOCKETS:
            raise web.HTTPTooManyRequests(reason=f"you have {SOCKETS} dashboards open: close some")
        self._open[user] += 1
        try:
            yield
        finally:
            self._open[user] -= 1


async def _forward(
    request: web.Request, session: aiohttp.ClientSession, url: str, tls: ssl.SSLContext
) -> web.StreamResponse:
    headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
    try:
        async with session.get(url, headers=headers, ssl=tls, allow_redirects=False) as found:
            kept = {name: found.headers[name] for name in RETURNED if name in found.headers}
            answer = web.StreamResponse(status=found.status, headers=kept)
            await answer.prepare(request)
            async for chunk in found.content.iter_chunked(1 << 16):
                await answer.write(chunk)
            await answer.write_eof()
            return answer
    except aiohttp.ClientConnectionError:
        raise web.HTTPBadGateway(reason="the scheduler does not answer") from None


async def _relay_websocket(
    request: web.Request, session: aiohttp.ClientSession, url: str, tls: ssl.SSLContext
) -> web.StreamResponse:
    spoken = request.headers.get("Sec-WebSocket-Protocol", "")
    protocols = tuple(word.strip() for word in spoken.split(",") if word.strip())
    async with session.ws_connect(
        url, ssl=tls, protocols=protocols, max_msg_size=FROM_SCHEDULER
    ) as there:
        chosen = () if there.protocol is None else (there.protocol,)
        here = web.WebSocketResponse(protocols=chosen, max_msg_size=FROM_BROWSER)
        await here.prepare(request)
        relays = [asyncio.ensure_future(_relay(*ends)) for ends in ((here, there), (there, here))]
        await asyncio.wait(relays, return_when=asyncio.FIRST_COMPLETED)
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
        await here.close()
    return here


async def _relay(source: WebSocket, target: WebSocket) -> None:
    async for message in source:
        if message.type == aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
        elif message.type == aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)


def _context(certificate: bytes, key: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=certificate.decode())
    context.check_hostname = False  # the certificate names the cluster, not the machine
    with tempfile.NamedTemporaryFile() as file:  # OpenSSL reads certificate and key from files only
        file.write(certificate + b"\n" + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context
