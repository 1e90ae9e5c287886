"""The configuration of the Dask Gateway on one machine, from the settings."""

from __future__ import annotations

import base64
import sys

from traitlets.config import Config

from flavorframe_facility import headers
from flavorframe_facility.gateway.authentication import HubAuthenticator
from flavorframe_facility.gateway.clusters import options, rules
from flavorframe_facility.gateway.config import PREFIX, SERVICE
from flavorframe_facility.machine.clusters import ClusterConfig, MachineBackend
from flavorframe_facility.machine.folders import make_folder
from flavorframe_facility.settings import Settings


def configure(c: Config, settings: Settings) -> None:
    """Configure the gateway and its proxy.

    Args:
        c: Configuration of Dask Gateway, which is changed.
        settings: Settings of the facility.

    """
    api = f"127.0.0.1:{settings.gateway_port}"
    c.DaskGateway.address = api
    c.DaskGateway.authenticator_class = HubAuthenticator
    c.DaskGateway.backend_class = MachineBackend
    c.HubAuthenticator.jupyterhub_api_url = f"http://127.0.0.1:{settings.hub_port}/hub/api"
    c.HubAuthenticator.jupyterhub_service_name = SERVICE
    c.Proxy.address = c.Proxy.tcp_address = f"127.0.0.1:{settings.gateway_proxy_port}"
    c.Proxy.prefix = PREFIX
    c.Proxy.gateway_url = f"http://{api}"
    c.Proxy.externally_managed = True
    c.Proxy.api_token = (settings.private / "gateway-proxy-token").read_text()
    _configure_clusters(c, settings)


def _configure_clusters(c: Config, settings: Settings) -> None:
    c.MachineBackend.facility = settings
    c.MachineBackend.rules = rules(settings)
    c.MachineBackend.headers = headers.of(settings)
    c.MachineBackend.cluster_config_class = ClusterConfig
    c.MachineBackend.cluster_options = options(settings)
    c.MachineBackend.api_url = f"http://127.0.0.1:{settings.gateway_proxy_port}{PREFIX}/api"
    folder = settings.folder / "clusters"
    make_folder(folder, 0o711)
    c.MachineBackend.clusters_directory = str(folder)
    # Clusters go on while the gateway is restarted.
    c.MachineBackend.db_url = f"sqlite:///{settings.private}/gateway.sqlite"
    key = bytes.fromhex((settings.private / "gateway-key").read_text())
    c.MachineBackend.db_encrypt_keys = [base64.b64encode(key).decode()]
    c.MachineBackend.stop_clusters_on_shutdown = False
    c.MachineBackend.cluster_heartbeat_timeout = 60
    dask = [sys.executable, "-m", "dask"]
    c.ClusterConfig.scheduler_cmd = [*dask, "scheduler"]
    c.ClusterConfig.worker_cmd = [*dask, "worker"]
    c.ClusterConfig.idle_timeout = settings.idle_cluster_minutes * 60
