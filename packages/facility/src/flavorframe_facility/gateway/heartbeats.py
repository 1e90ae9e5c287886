"""What schedulers report to the gateway: their owners can change them, so that it is checked."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

MOST_WORKERS = 10_000
"""A scheduler that asks for more workers than this is not believed."""

LISTS = ("active_workers", "closing_workers", "closed_workers")


def workers_asked_for(heartbeat: dict[str, Any]) -> int:
    """Return the number of workers that a heartbeat asks for.

    Raises:
        web.HTTPBadRequest: The heartbeat is not of the form that schedulers send.

    """
    count = heartbeat.get("count")
    if type(count) is not int or not 0 <= count <= MOST_WORKERS:
        raise web.HTTPBadRequest(reason=f"count must be a whole number from 0 to {MOST_WORKERS}")
    for name in LISTS:
        names = heartbeat.get(name)
        if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
            raise web.HTTPBadRequest(reason=f"{name} must be a list of names")
    return count


@web.middleware  # type: ignore[untyped-decorator]
async def require_json_objects(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a request whose body is no JSON object, or whose Authorization has no scheme."""
    if " " not in request.headers.get("Authorization", "token none"):
        raise web.HTTPBadRequest(reason="the Authorization header must be a scheme and a token")
    if request.method == "POST":
        try:
            content = await request.json()
        except (ValueError, RecursionError):
            raise web.HTTPBadRequest(reason="the body must be JSON") from None
        if not isinstance(content, dict):
            raise web.HTTPBadRequest(reason="the body must be a JSON object")
    return await handler(request)
