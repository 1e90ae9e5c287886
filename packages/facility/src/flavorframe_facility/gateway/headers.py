"""Headers of all that the gateway answers, dashboards among them."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web


def add_to(app: web.Application, headers: Mapping[str, str]) -> None:
    """Add headers to each answer that does not have them.

    Args:
        app: The gateway.
        headers: The headers.

    """

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        for name, text in headers.items():
            response.headers.setdefault(name, text)

    app.on_response_prepare.append(add)
