"""Dask clusters of pods, within the limits of their owners and apart from each other."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiohttp import web
from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.kubernetes.backend import KubeBackend, KubeClusterConfig
from dask_gateway_server.models import User
from kubernetes_asyncio import client
from kubernetes_asyncio.client.rest import ApiException
from traitlets import Dict, Float, Instance, List, Unicode

from flavorframe_facility.gateway import headers
from flavorframe_facility.gateway.dashboards import Dashboards
from flavorframe_facility.gateway.heartbeats import require_json_objects, workers_asked_for
from flavorframe_facility.gateway.limits import Rules, Usage
from flavorframe_facility.kubernetes.network import policy_for
from flavorframe_facility.kubernetes.usage import (
    full_name,
    is_over,
    replicas,
    usage_by_cluster,
)

TIMEOUT = 10.0
"""Seconds that Kubernetes has to answer while nobody else's cluster can be decided on."""


class PodClusterConfig(KubeClusterConfig):  # type: ignore[misc]
    """Configuration of a cluster, with the groups of its owner."""

    owner_groups = List(Unicode())


class PodBackend(KubeBackend):  # type: ignore[misc]
    """Makes clusters of pods, within the limits.

    What may be added is decided one cluster at a time, from the clusters and pods that Kubernetes
    has at that moment.
    """

    rules = Instance(Rules, help="How much clusters may take.").tag(config=True)
    headers = Dict(help="Headers of all that is answered.").tag(config=True)
    clusters_namespace = Unicode(help="Namespace of all clusters.").tag(config=True)
    settle_seconds = Float(
        60.0, help="Seconds in which workers may still start after fewer are wanted."
    ).tag(config=True)
    room_seconds = Float(
        15.0, help="Seconds between looks for room for workers that did not fit."
    ).tag(config=True)
    _lock = Instance(asyncio.Lock, args=())
    _lowered = Dict(help="By cluster: its earlier number of workers, and until when it counts.")
    _unmet = Dict(help="By cluster: the heartbeat that asked for more workers than fit.")

    async def setup(self, app: web.Application) -> None:
        """Start the backend."""
        app.middlewares.append(require_json_objects)
        headers.add_to(app, self.headers)
        app.router.add_get("/clusters/{name}/{path:.*}", Dashboards(self, app["authenticator"]))
        await super().setup(app)
        self.network_client = client.NetworkingV1Api(api_client=self.api_client)
        self._room_task = asyncio.ensure_future(self._look_for_room())

    async def cleanup(self) -> None:
        """End the backend; clusters go on."""
        if hasattr(self, "_room_task"):
            self._room_task.cancel()
            await asyncio.gather(self._room_task, return_exceptions=True)
        await super().cleanup()

    async def start_cluster(self, user: User, cluster_options: dict[str, Any]) -> str:
        """Make a cluster, unless a limit of its owner or of the owner's groups is reached."""
        _, config = await self.process_cluster_options(user, cluster_options)
        groups, cores = frozenset(user.groups), int(config.worker_cores)
        new = Usage(user.name, groups, 0, cores, int(config.worker_memory))
        async with self._lock:
            used = self._usage(*await self._existing())
            reason = self.rules.refusal(new, used.values())
            if reason is not None:
                raise PublicException(reason)
            return await super().start_cluster(user, cluster_options)  # type: ignore[no-any-return]

    async def sync_cluster(self, cluster_name: str) -> None:
        """Note a change of a cluster; let the pods of a new one reach each other."""
        found = self.informer.get(cluster_name)
        if found is not None and cluster_name not in self.clusters and not is_over(found):
            try:
                await self.network_client.create_namespaced_network_policy(
                    self.clusters_namespace,
                    policy_for(found),  # type: ignore[arg-type]
                )
            except ApiException as error:
                if error.status != 409:  # it is there since before a restart of the gateway
                    raise
        await super().sync_cluster(cluster_name)

    async def on_cluster_heartbeat(self, cluster_name: str, msg: dict[str, Any]) -> None:
        """Let a cluster have as many workers as it asks for, within the limits."""
        asked = workers_asked_for(msg)
        async with self._lock:
            cluster = self.informer.get(cluster_name)
            if cluster is None or is_over(cluster):
                self._unmet.pop(cluster_name, None)
                return
            before, count = await self._granted(cluster_name, asked)
            if count != before:
                await super().on_cluster_heartbeat(cluster_name, {**msg, "count": count})
            if count < asked:
                self._unmet[cluster_name] = msg
            else:
                self._unmet.pop(cluster_name, None)

    async def _granted(self, cluster_name: str, asked: int) -> tuple[int, int]:
        """Return how many workers a cluster is told to have, and how many of those asked it may."""
        clusters, pods = await self._existing()
        used = self._usage(clusters, pods)
        if cluster_name not in used:
            return 0, 0
        mine = used.pop(cluster_name)
        allowed = self.rules.workers(mine, used.values())
        count = asked if allowed is None else min(asked, allowed)
        before = next(replicas(one) for one in clusters if full_name(one) == cluster_name)
        if count < before:
            most = max(before, self._lowered.get(cluster_name, (0, 0.0))[0])
            self._lowered[cluster_name] = (most, time.monotonic() + self.settle_seconds)
        return before, count

    async def _existing(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the clusters and the pods that Kubernetes has at this moment."""
        chosen = {"label_selector": self.label_selector, "_request_timeout": TIMEOUT}
        clusters, pods = await asyncio.gather(
            self.custom_client.list_namespaced_custom_object(
                "gateway.dask.org", self.crd_version, self.clusters_namespace, "daskclusters",
                **chosen,
            ),
            self.core_client.list_namespaced_pod(self.clusters_namespace, **chosen),
        )  # fmt: skip
        return clusters["items"], self.api_client.sanitize_for_serialization(pods)["items"]

    def _usage(
        self, clusters: list[dict[str, Any]], pods: list[dict[str, Any]]
    ) -> dict[str, Usage]:
        now = time.monotonic()
        self._lowered = {name: one for name, one in self._lowered.items() if one[1] > now}
        starting = {name: workers for name, (workers, _) in self._lowered.items()}
        return usage_by_cluster(clusters, pods, starting)

    async def _look_for_room(self) -> None:
        """Ask again, from time to time, for workers that did not fit: schedulers do not."""
        while True:
            await asyncio.sleep(self.room_seconds)
            for name, heartbeat in list(self._unmet.items()):
                try:
                    await self.on_cluster_heartbeat(name, heartbeat)
                except Exception:
                    self.log.warning("No answer about more workers for %s", name, exc_info=True)
