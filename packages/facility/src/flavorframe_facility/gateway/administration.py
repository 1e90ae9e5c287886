"""The clusters of all users, for those who run the facility: listing and stopping them.

The gateway serves this to services of the hub that have a scope of their own, which neither users
nor their servers have.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Protocol

from aiohttp import web

from flavorframe_facility.gateway.authentication import HubAuthenticator
from flavorframe_facility.gateway.client import PATH, Cluster
from flavorframe_facility.gateway.config import ADMINISTER


class Backend(Protocol):
    """What a backend of the gateway has for administration."""

    def all_clusters(self) -> Iterable[Cluster]:
        """Return the clusters of all users."""

    async def stop_cluster(self, cluster_name: str, failed: bool = False) -> None:
        """Stop a cluster."""


class Administration:
    """Answers requests of services of the hub with the scope ``ADMINISTER``."""

    def __init__(self, backend: Backend, authenticator: HubAuthenticator) -> None:
        self._backend, self._authenticator = backend, authenticator

    def add_to(self, app: web.Application) -> None:
        """Add the routes to the gateway."""
        app.router.add_get(PATH, self.clusters)
        app.router.add_delete(f"{PATH}/{{name}}", self.stop)

    async def clusters(self, request: web.Request) -> web.Response:
        """Answer with the clusters of all users."""
        await self._authenticator.require_scope(request, ADMINISTER)
        return web.json_response([asdict(one) for one in self._backend.all_clusters()])

    async def stop(self, request: web.Request) -> web.Response:
        """Stop a cluster; 404 if there is none of that name."""
        await self._authenticator.require_scope(request, ADMINISTER)
        name = request.match_info["name"]
        if name not in {one.name for one in self._backend.all_clusters()}:
            raise web.HTTPNotFound(reason="there is no cluster of that name")
        await self._backend.stop_cluster(name)
        return web.Response(status=204)
