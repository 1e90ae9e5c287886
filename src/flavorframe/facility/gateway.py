"""Dask Gateway: clusters of users' own."""

from __future__ import annotations

import sys
from typing import Any

from flavorframe.facility.processes import Program, configuration
from flavorframe.facility.settings import Settings

SERVICE = "dask-gateway"
"""As what the hub knows it."""
PREFIX = f"/services/{SERVICE}"
SCOPES = [f"access:services!service={SERVICE}", "read:users:groups!user"]
"""What the token of a user's server may do for the Gateway: reach it, and say who it is."""


def configure(c: Any, settings: Settings) -> None:
    """Have the hub know the gateway, and users' servers how to reach it."""
    c.JupyterHub.extra_user_scopes.update({SCOPES[0]})
    c.Spawner.server_token_scopes.extend(SCOPES)
    c.Spawner.args.append("--ServerApp.jpserver_extensions=flavorframe.facility.gateway_panel=True")
    c.Spawner.environment.update(CLIENT)
    if settings.backend == "local":
        address = f"http://127.0.0.1:{settings.gateway_proxy_port}"
        service = {"name": SERVICE, "url": address, "display": False}
        c.JupyterHub.services.append(service)
        c.Spawner.environment.update({"DASK_GATEWAY__ADDRESS": f"{address}{PREFIX}"})


CLIENT = {
    "DASK_GATEWAY__AUTH__TYPE": "jupyterhub",
    "DASK_GATEWAY__HTTP_CLIENT__PROXY": "False",
    "DASK_GATEWAY__PUBLIC_ADDRESS": "{JUPYTERHUB_SERVICE_PREFIX}proxy-dask",
    "DASK_LABEXTENSION__FACTORY__MODULE": "dask_gateway",
    "DASK_LABEXTENSION__FACTORY__CLASS": "GatewayCluster",
    "DASK_DISTRIBUTED__CLIENT__SECURITY_LOADER": "flavorframe.facility.gateway_client.security_for",
}
"""What makes ``Gateway()``, the Dask panel and its client code work in a user's server."""


def programs(settings: Settings) -> tuple[Program, ...]:
    """Return what runs beside the hub on one machine.

    The proxy is a program of its own: connections to schedulers go on while the gateway restarts.
    """
    file = configuration(settings, "gateway_config.py", "gateway_server")
    command = (sys.executable, "-m", "dask_gateway_server")
    api = f"http://127.0.0.1:{settings.gateway_port}"
    front = f"http://127.0.0.1:{settings.gateway_proxy_port}{PREFIX}"
    return (
        Program("gateway-proxy", (*command, "proxy", "-f", file), f"{front}/api/health"),
        Program("gateway", (*command, "-f", file), f"{api}/api/health"),
    )
