"""The Dask Gateway on Kubernetes: who may use it, and how much clusters may take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traitlets.config import Config

from flavorframe_facility import headers
from flavorframe_facility.gateway.authentication import HubAuthenticator
from flavorframe_facility.gateway.clusters import options, rules
from flavorframe_facility.kubernetes.backend import PodBackend, PodClusterConfig
from flavorframe_facility.kubernetes.chart import choice
from flavorframe_facility.settings import make

PRELOAD = "flavorframe_facility.gateway.scheduler"
METRICS_PORT = "FLAVORFRAME_METRICS_PORT"
"""Both are of the module that schedulers load, which needs Dask and is not loaded here."""

METRICS = 8789
"""Port of schedulers' metrics, which the chart opens to Prometheus."""


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
    c.PodBackend.headers = headers.of(settings)
    c.PodBackend.cluster_config_class = PodClusterConfig
    c.PodBackend.cluster_options = options(settings)
    c.PodBackend.clusters_namespace = c.KubeClusterConfig.namespace = namespace
    c.KubeClusterConfig.idle_timeout = settings.idle_cluster_minutes * 60
    c.KubeClusterConfig.scheduler_cmd = ["dask", "scheduler", "--preload", PRELOAD]
    c.KubeClusterConfig.worker_cmd = ["dask", "worker", "--no-dashboard"]
    config = c.KubeClusterConfig
    _add(config, "scheduler_extra_container_config", _scheduler_container())
    _add(config, "environment", pods["environment"])
    _add(config, "worker_extra_pod_config", {"volumes": pods["volumes"]})
    _add(config, "worker_extra_container_config", {"volumeMounts": pods["mounts"]})


def _scheduler_container() -> dict[str, Any]:
    """Return what a scheduler needs for TLS of its dashboard, and for metrics at a port apart."""
    folder, tls = "/etc/dask-credentials", "DASK_DISTRIBUTED__SCHEDULER__DASHBOARD__TLS__"
    environment = {
        f"{tls}CERT": f"{folder}/dask.crt",
        f"{tls}KEY": f"{folder}/dask.pem",
        f"{tls}CA_FILE": f"{folder}/dask.crt",
        METRICS_PORT: str(METRICS),
    }
    return {
        "env": [{"name": name, "value": text} for name, text in environment.items()],
        "ports": [{"name": "metrics", "containerPort": METRICS}],
    }


def _add(config: Config, name: str, more: Mapping[str, Any]) -> None:
    """Add to a mapping that the chart may have set."""
    config[name] = {**config.get(name, {}), **more}
