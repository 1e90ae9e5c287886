"""The configuration of the Dask Gateway on one machine, from the settings."""

from __future__ import annotations

import base64
import os
import sys
from typing import Any

import psutil

from flavorframe.facility.gateway import PREFIX, SERVICE
from flavorframe.facility.gateway_backend import ClusterConfig, FacilityBackend
from flavorframe.facility.gateway_limits import GB, Limits, Rules
from flavorframe.facility.gateway_login import HubAuthenticator
from flavorframe.facility.options import too_large
from flavorframe.facility.settings import Settings


def configure(c: Any, settings: Settings) -> None:
    """Configure the gateway and its proxy."""
    api = f"127.0.0.1:{settings.gateway_port}"
    c.DaskGateway.address = api
    c.DaskGateway.authenticator_class = HubAuthenticator
    c.DaskGateway.backend_class = FacilityBackend
    c.HubAuthenticator.jupyterhub_api_url = f"http://127.0.0.1:{settings.hub_port}/hub/api"
    c.HubAuthenticator.jupyterhub_service_name = SERVICE
    c.Proxy.address = c.Proxy.tcp_address = f"127.0.0.1:{settings.gateway_proxy_port}"
    c.Proxy.prefix = PREFIX
    c.Proxy.gateway_url = f"http://{api}"
    c.Proxy.externally_managed = True
    c.Proxy.api_token = (settings.private / "gateway-proxy-token").read_text()
    _configure_clusters(c, settings)


def _configure_clusters(c: Any, settings: Settings) -> None:
    c.FacilityBackend.facility = settings
    c.FacilityBackend.rules = rules(settings)
    c.FacilityBackend.cluster_config_class = ClusterConfig
    c.FacilityBackend.cluster_options = options(settings)
    c.FacilityBackend.api_url = f"http://127.0.0.1:{settings.gateway_proxy_port}{PREFIX}/api"
    folder = settings.folder / "clusters"
    folder.mkdir(mode=0o711, exist_ok=True)
    c.FacilityBackend.clusters_directory = str(folder)
    # Clusters outlive the gateway, so that it can be restarted under way.
    c.FacilityBackend.db_url = f"sqlite:///{settings.private}/gateway.sqlite"
    key = bytes.fromhex((settings.private / "gateway-key").read_text())
    c.FacilityBackend.db_encrypt_keys = [base64.b64encode(key).decode()]
    c.FacilityBackend.stop_clusters_on_shutdown = False
    c.FacilityBackend.cluster_heartbeat_timeout = 60
    dask = [sys.executable, "-m", "dask"]
    c.ClusterConfig.scheduler_cmd = [*dask, "scheduler"]
    c.ClusterConfig.worker_cmd = [*dask, "worker"]
    c.ClusterConfig.idle_timeout = settings.idle_cluster_minutes * 60


def rules(settings: Settings) -> Rules:
    """Return how much clusters may take; on one machine, no more than it has.

    Users share its cores, as their turn comes; memory that is promised twice is not there.
    """
    cores, memory = settings.cluster_cores_per_user, settings.cluster_memory_per_user
    everybody = Limits()
    if settings.backend == "local":
        here = psutil.virtual_memory().total // GB
        cores, memory = min(cores, os.cpu_count() or 1), min(memory, here)
        everybody = Limits(memory=here)
    user = Limits(clusters=settings.clusters_per_user, cores=cores, memory=memory)
    return Rules(user, settings.cluster_limits_by_group, everybody)


def options(settings: Settings) -> Any:
    """Return what users choose of a new cluster: cores and memory of a worker, from the lists."""
    from dask_gateway_server.options import Options, Select

    missing = too_large(settings)
    cores = [n for n in settings.cores if str(n) not in missing.get("cores", ())]
    memory = [n for n in settings.memory if str(n) not in missing.get("memory", ())]

    def chosen(options: Any, user: Any) -> dict[str, Any]:
        return {
            "worker_cores": options.worker_cores,
            "worker_memory": options.worker_memory,
            "owner_groups": list(user.groups),
        }

    return Options(
        Select("worker_cores", _choices(cores, 1), label="Cores of a worker"),
        Select("worker_memory", _choices(memory, GB), label="Memory of a worker (GB)"),
        handler=chosen,
    )


def _choices(numbers: Any, unit: int) -> list[tuple[str, int]]:
    return [(str(number), number * unit) for number in numbers]
