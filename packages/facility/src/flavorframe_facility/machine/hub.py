"""The configuration of JupyterHub on one machine, from the settings."""

from __future__ import annotations

from traitlets.config import Config

from flavorframe_facility import start
from flavorframe_facility.gateway.config import ADMINISTER, PREFIX, SERVICE as GATEWAY
from flavorframe_facility.hub import config as hub
from flavorframe_facility.machine.administration import config as administration
from flavorframe_facility.machine.sessions import COOKIE_SECRET, DATABASE
from flavorframe_facility.machine.spawner import MachineSpawner
from flavorframe_facility.server import JUPYTER
from flavorframe_facility.settings import Settings

SERVICE = "flavorframe"
"""Name of the command line as a service of the hub."""


def configure(c: Config, settings: Settings) -> None:
    """Configure a hub whose users' servers are processes of this machine.

    Args:
        c: Configuration of JupyterHub, which is changed.
        settings: Settings of the facility.

    """
    hub.configure(c, settings)
    _configure_hub(c, settings)
    _configure_gateway(c, settings)
    _configure_servers(c, settings)
    token = (settings.private / "service-token").read_text()
    c.JupyterHub.services.append({"name": SERVICE, "api_token": token})
    administration.configure(c, settings)
    hub.add_role(
        c, SERVICE, ["list:users", "read:users", "read:servers", "delete:servers", ADMINISTER]
    )


def _configure_hub(c: Config, settings: Settings) -> None:
    private = settings.private
    c.JupyterHub.bind_url = settings.bind_url
    c.JupyterHub.hub_port = settings.hub_port
    c.JupyterHub.db_url = f"sqlite:///{private}/{DATABASE}"
    c.JupyterHub.cookie_secret_file = str(private / COOKIE_SECRET)
    # Servers and the proxy go on while the hub is restarted.
    c.JupyterHub.cleanup_servers = False
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.proxy_port}"
    c.ConfigurableHTTPProxy.auth_token = (private / "proxy-token").read_text()


def _configure_gateway(c: Config, settings: Settings) -> None:
    address = f"http://127.0.0.1:{settings.gateway_proxy_port}"
    # Without an address: it is reached from users' servers, not through the hub's proxy.
    c.JupyterHub.services.append({"name": GATEWAY, "display": False})
    c.Spawner.environment.update({"DASK_GATEWAY__ADDRESS": f"{address}{PREFIX}"})


def _configure_servers(c: Config, settings: Settings) -> None:
    c.JupyterHub.spawner_class = MachineSpawner
    c.MachineSpawner.facility = settings
    # JupyterLab takes long to be imported while many start it at once, as in a workshop.
    c.MachineSpawner.start_timeout = c.MachineSpawner.http_timeout = 180
    # A server answers an interrupt with a question; it ends at SIGTERM, which follows.
    c.MachineSpawner.interrupt_timeout = 1
    c.Spawner.cmd = start.command("jupyterhub.singleuser")
    c.Spawner.environment.update({"JUPYTER_CONFIG_PATH": str(JUPYTER)})
    # All users share loopback, where anybody could ask a kernel for its outputs.
    c.Spawner.args.append("--KernelManager.transport_encryption=auto")
