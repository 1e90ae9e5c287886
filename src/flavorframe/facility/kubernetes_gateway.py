"""The Dask Gateway on Kubernetes: who may ask it, and how much clusters take."""

from __future__ import annotations

from typing import Any

from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.kubernetes.backend import KubeBackend, KubeClusterConfig
from traitlets import Dict, Instance, List, Unicode

from flavorframe.facility import kubernetes
from flavorframe.facility.gateway_limits import Rules, Use
from flavorframe.facility.gateway_login import HubAuthenticator
from flavorframe.facility.gateway_server import options, rules
from flavorframe.facility.settings import make


class PodClusterConfig(KubeClusterConfig):  # type: ignore[misc]
    """What is kept of a cluster, with the groups of its owner."""

    owner_groups = List(Unicode())


class PodBackend(KubeBackend):  # type: ignore[misc]
    """Makes clusters of pods, and counts what they take."""

    rules = Instance(Rules, help="How much clusters may take.").tag(config=True)
    _wanted = Dict(help="How many workers clusters asked for when they were last heard of.")

    async def start_cluster(self, user: Any, cluster_options: Any) -> str:
        """Make a cluster, unless its owner or one of the owner's groups has what is allowed."""
        _, config = await self.process_cluster_options(user, cluster_options)
        new = Use(
            user.name, frozenset(user.groups), 0, int(config.worker_cores), config.worker_memory
        )
        reason = self.rules.refusal(new, map(self._use, await self.list_clusters()))
        if reason is not None:
            raise PublicException(reason)
        return await super().start_cluster(user, cluster_options)  # type: ignore[no-any-return]

    async def on_cluster_heartbeat(self, cluster_name: str, msg: dict[str, Any]) -> None:
        """Let a cluster have as many workers as it asks for, within the limits."""
        cluster = self.clusters.get(cluster_name)
        if cluster is not None:
            active = await self.list_clusters()
            others = [self._use(one) for one in active if one.name != cluster_name]
            allowed = self.rules.workers(self._use(cluster), others)
            asked = int(msg["count"])
            count = asked if allowed is None else min(asked, allowed)
            msg = {**msg, "count": count}
            self._wanted = {
                one.name: self._wanted[one.name] for one in active if one.name in self._wanted
            } | {cluster_name: count}
        await super().on_cluster_heartbeat(cluster_name, msg)

    def _use(self, cluster: Any) -> Use:
        config = cluster.config
        return Use(
            cluster.username,
            frozenset(config["owner_groups"]),
            self._wanted.get(cluster.name, 0),
            int(config["worker_cores"]),
            int(config["worker_memory"]),
        )


def configure(c: Any) -> None:
    """Configure the gateway of the Dask Gateway chart, after that chart's own configuration."""
    choice = kubernetes.chosen()
    settings, pods = make(**choice["settings"]), choice["pods"]
    c.DaskGateway.authenticator_class = HubAuthenticator
    c.DaskGateway.backend_class = PodBackend
    c.PodBackend.rules = rules(settings)
    c.PodBackend.cluster_config_class = PodClusterConfig
    c.PodBackend.cluster_options = options(settings)
    c.KubeClusterConfig.idle_timeout = settings.idle_cluster_minutes * 60
    c.KubeClusterConfig.scheduler_cmd = ["dask", "scheduler"]
    c.KubeClusterConfig.worker_cmd = ["dask", "worker"]
    config = c.KubeClusterConfig
    _add(config, "environment", pods["environment"])
    _add(config, "worker_extra_pod_config", {"volumes": pods["volumes"]})
    _add(config, "worker_extra_container_config", {"volumeMounts": pods["mounts"]})


def _add(config: Any, name: str, more: dict[str, Any]) -> None:
    """Add to a mapping that the chart may have set."""
    config[name] = {**config.get(name, {}), **more}
