"""The Dask Gateway on Kubernetes: who may use it, and how much clusters may take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traitlets.config import Config

from flavorframe_facility.gateway.authentication import HubAuthenticator
from flavorframe_facility.gateway.clusters import options, rules
from flavorframe_facility.kubernetes.backend import PodBackend, PodClusterConfig
from flavorframe_facility.kubernetes.chart import choice
from flavorframe_facility.settings import make


def configure(c: Config) -> None:
    """Configure the gateway of the Dask Gateway chart, after that chart's own configuration.

    Args:
        c: Configuration of Dask Gateway, which is changed.

    Raises:
        FacilityError: This is not a pod of the chart, or a setting is wrong.

    """
    chosen = choice()
    settings, pods = make(**chosen["settings"]), chosen["pods"]
    namespace = chosen["clusters_namespace"]
    c.DaskGateway.authenticator_class = HubAuthenticator
    c.DaskGateway.backend_class = PodBackend
    c.PodBackend.rules = rules(settings)
    c.PodBackend.cluster_config_class = PodClusterConfig
    c.PodBackend.cluster_options = options(settings)
    c.PodBackend.clusters_namespace = c.KubeClusterConfig.namespace = namespace
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
