"""What hub and users' servers must know of the Dask Gateway."""

from __future__ import annotations

from traitlets.config import Config

SERVICE = "dask-gateway"
"""Name of the gateway as a service of the hub."""

PREFIX = f"/services/{SERVICE}"
"""Path of the gateway behind the hub's proxy."""

SCOPES = [f"access:services!service={SERVICE}", "read:users:groups!user"]
"""What the token of a user's server may do for the gateway: use it, and say who the user is."""

ADMINISTER = "custom:dask-clusters:administer"
"""What the token of a service may do that lists and stops the clusters of all users."""

EXTENSIONS = {
    "flavorframe_facility.server.dashboards": True,
    "dask_labextension": False,
    "jupyter_server_proxy": False,
}
"""Extensions of users' servers. Two are switched off because they forward requests, with the
cookies of the browser, to whatever process listens at a port of the machine."""

CLIENT = {
    "DASK_GATEWAY__AUTH__TYPE": "jupyterhub",
    "DASK_GATEWAY__HTTP_CLIENT__PROXY": "False",
    "DASK_GATEWAY__PUBLIC_ADDRESS": "{JUPYTERHUB_SERVICE_PREFIX}proxy-dask",
    "DASK_LABEXTENSION__FACTORY__MODULE": "dask_gateway",
    "DASK_LABEXTENSION__FACTORY__CLASS": "GatewayCluster",
    "DASK_DISTRIBUTED__CLIENT__SECURITY_LOADER": (
        "flavorframe_facility.server.certificates.security_for"
    ),
}
"""Environment of a user's server in which ``Gateway()`` and the Dask panel of JupyterLab work."""


def configure(c: Config) -> None:
    """Configure the hub's tokens and users' servers for the gateway.

    Args:
        c: Configuration of JupyterHub, which is changed.

    """
    c.JupyterHub.custom_scopes.update(
        {ADMINISTER: {"description": "List and stop the Dask clusters of all users."}}
    )
    c.JupyterHub.extra_user_scopes.update({SCOPES[0]})
    c.Spawner.server_token_scopes.extend(SCOPES)
    c.Spawner.args.extend(
        f"--ServerApp.jpserver_extensions={name}={enabled}" for name, enabled in EXTENSIONS.items()
    )
    c.Spawner.environment.update(CLIENT)
