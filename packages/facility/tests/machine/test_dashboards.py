"""Messages between a browser and a dashboard, which the gateway relays, have bounds."""

from contextlib import ExitStack, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

pytest.importorskip("dask_gateway_server", reason="Dask Gateway is not installed")
from facility_support.coroutines import run
from flavorframe_facility.gateway import dashboards


@asynccontextmanager
async def serving(handler):
    """Yield the address of a server that answers everything by a handler."""
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/"
    finally:
        await runner.cleanup()


async def scheduler(request):
    """Answer each message by as many bytes as it asks for."""
    socket = web.WebSocketResponse(max_msg_size=0)
    await socket.prepare(request)
    async for message in socket:
        wanted = int(message.data.split()[0])
        await socket.send_bytes(bytes(wanted))
    return socket


def answer_to(sent):
    """Return what a browser gets through the gateway for a message: its kind, and its size."""

    async def ask():
        async with serving(scheduler) as there, aiohttp.ClientSession() as session:

            async def relay(request):
                return await dashboards._relay_websocket(request, session, there, False)

            async with (
                serving(relay) as here,
                session.ws_connect(here, max_msg_size=0, compress=0) as socket,
            ):
                await socket.send_str(sent)
                message = await socket.receive(30)
                size = len(message.data) if message.type == aiohttp.WSMsgType.BINARY else 0
                return message.type, size

    return run(ask())


BINARY = aiohttp.WSMsgType.BINARY
CLOSED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


def test_a_message_within_the_bounds_is_relayed():
    assert answer_to("100000 " + "x" * 900_000) == (BINARY, 100_000)
    assert answer_to("8000000") == (BINARY, 8_000_000)


@pytest.mark.parametrize("sent", ["1 " + "x" * 1_100_000, "9000000"])
def test_a_message_beyond_them_ends_the_connection(sent, monkeypatch):
    kind, _ = answer_to(sent)
    assert kind in CLOSED
    monkeypatch.setattr(dashboards, "FROM_BROWSER", 0)
    monkeypatch.setattr(dashboards, "FROM_SCHEDULER", 0)
    assert answer_to(sent) == (BINARY, int(sent.split()[0]))


def test_a_user_has_no_more_than_so_many_open():
    pages = dashboards.Dashboards(None, None)
    with ExitStack() as opened:
        for _ in range(dashboards.SOCKETS):
            opened.enter_context(pages._counted("ada"))
        with pytest.raises(web.HTTPTooManyRequests):
            opened.enter_context(pages._counted("ada"))
        opened.enter_context(pages._counted("bob"))
    opened.enter_context(pages._counted("ada"))
