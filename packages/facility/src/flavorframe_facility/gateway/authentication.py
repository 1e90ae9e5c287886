"""Who uses the Dask Gateway: the hub tells, by the token of the user's server."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from dask_gateway_server.auth import JupyterHubAuthenticator
from dask_gateway_server.models import User

SCHEMES = ("jupyterhub", "token", "bearer")
"""Schemes of the Authorization header: of Gateway's client, of JupyterHub, and the usual one."""


class HubAuthenticator(JupyterHubAuthenticator):  # type: ignore[misc]
    """Admits users with a token of the hub that may be used for this service.

    The hub is asked for each request, so that a revoked token is refused at once, and a user who
    left a group is no longer a member.
    """

    def get_token(self, request: web.Request) -> str | None:
        """Return the token of a request."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return token.strip() or None if scheme.lower() in SCHEMES else None

    async def authenticate(self, request: web.Request) -> User:
        """Return the user of a request.

        Raises:
            web.HTTPUnauthorized: There is no token, or it is not valid.
            web.HTTPBadGateway: The hub does not answer.

        """
        token = self.get_token(request)
        if token is None:
            raise _unauthorized("a token of the hub is needed")
        async with self.session.get(
            f"{self.jupyterhub_api_url}/user",
            headers={"Authorization": f"token {token}"},
            ssl=self.ssl_context or True,
        ) as answer:
            if answer.status in (401, 403, 404):
                raise _unauthorized("the hub does not know this token, or it has expired")
            if answer.status >= 400:
                raise web.HTTPBadGateway(reason="the hub cannot say whose token this is")
            found = await answer.json()
        return self._user(found)

    def _user(self, found: dict[str, Any]) -> User:
        needed = {"access:services", f"access:services!service={self.jupyterhub_service_name}"}
        if found["kind"] != "user" or needed.isdisjoint(found.get("scopes", [])):
            raise _unauthorized("this token may not be used for Dask clusters")
        return User(found["name"], groups=found.get("groups", []), admin=False)

    async def authenticate_and_handle(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Answer a request of the API; no cookie is set, because it would outlive the token."""
        request["user"] = await self.authenticate(request)
        return await handler(request)


def _unauthorized(reason: str) -> web.HTTPUnauthorized:
    return web.HTTPUnauthorized(headers={"WWW-Authenticate": "jupyterhub"}, reason=reason)
