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
        return self._user(await self._identify(request))

    async def require_scope(self, request: web.Request, scope: str) -> None:
        """Raise an error unless the token of a request is a service's that has a scope.

        Raises:
            web.HTTPUnauthorized: There is no token, or it is not valid, or has not the scope.
            web.HTTPBadGateway: The hub does not answer.

        """
        found = await self._identify(request)
        if found["kind"] != "service" or scope not in found.get("scopes", []):
            raise _unauthorized("this token may not be used for the clusters of others")

    async def _identify(self, request: web.Request) -> dict[str, Any]:
        """Return what the hub says of the token of a request."""
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
            found: dict[str, Any] = await answer.json()
        return found

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
