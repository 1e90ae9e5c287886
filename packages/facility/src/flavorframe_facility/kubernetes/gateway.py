"""The Dask Gateway on Kubernetes: who may use it, and how much clusters may take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.kubernetes.backend import KubeBackend, KubeClusterConfig
from dask_gateway_server.models import Cluster, User
from traitlets import Dict, Instance, List, Unicode
from traitlets.config import Config

from flavorframe_facility.gateway.authentication import HubAuthenticator
from flavorframe_facility.gateway.clusters import options, rules
from flavorframe_facility.gateway.limits import Rules, Usage
from flavorframe_facility.kubernetes.chart import choice
from flavorframe_facility.settings import make


class PodClusterConfig(KubeClusterConfig):  # type: ignore[misc]
    """Configuration of a cluster, with the groups of its owner."""

    owner_groups = List(Unicode())


class PodBackend(KubeBackend):  # type: ignore[misc]
    """Makes clusters of pods, within the limits."""

    rules = Instance(Rules, help="How much clusters may take.").tag(config=True)
    _wanted = Dict(help="Number of workers by cluster, as of its last heartbeat.")

    async def start_cluster(self, user: User, cluster_options: dict[str, Any]) -> str:
        """Make a cluster, unless a limit of its owner or of the owner's groups is reached."""
        _, config = await self.process_cluster_options(user, cluster_options)
        new = Usage(
            user.name, frozenset(user.groups), 0, int(config.worker_cores), config.worker_memory
        )
        reason = self.rules.refusal(new, map(self._usage, await self.list_clusters()))
        if reason is not None:
            raise PublicException(reason)
        return await super().start_cluster(user, cluster_options)  # type: ignore[no-any-return]

    async def on_cluster_heartbeat(self, cluster_name: str, msg: dict[str, Any]) -> None:
        """Let a cluster have as many workers as it asks for, within the limits."""
        cluster = self.clusters.get(cluster_name)
        if cluster is not None:
            active = await self.list_clusters()
            others = [self._usage(one) for one in active if one.name != cluster_name]
            allowed = self.rules.workers(self._usage(cluster), others)
            asked = int(msg["count"])
            count = asked if allowed is None else min(asked, allowed)
            msg = {**msg, "count": count}
            self._wanted = {
                one.name: self._wanted[one.name] for one in active if one.name in self._wanted
            } | {cluster_name: count}
        await super().on_cluster_heartbeat(cluster_name, msg)

    def _usage(self, cluster: Cluster) -> Usage:
        config = cluster.config
        return Usage(
            cluster.username,
            frozenset(config["owner_groups"]),
            self._wanted.get(cluster.name, 0),
            int(config["worker_cores"]),
            int(config["worker_memory"]),
        )


def configure(c: Config) -> None:
    """Configure the gateway of the Dask Gateway chart, after that chart's own configuration.

    Args:
        c: Configuration of Dask Gateway, which is changed.

    Raises:
        FacilityError: This is not a pod of the chart, or a setting is wrong.

    """
    chosen = choice()
    settings, pods = make(**chosen["settings"]), chosen["pods"]
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


def _add(config: Config, name: str, more: Mapping[str, Any]) -> None:
    """Add to a mapping that the chart may have set."""
    config[name] = {**config.get(name, {}), **more}
