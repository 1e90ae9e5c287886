"""JupyterHub's configuration, from the settings: on one machine and on Kubernetes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from flavorframe.facility import gateway, login, options
from flavorframe.facility.settings import Settings

SERVICE = "flavorframe"
"""As what the command line asks the hub."""
JUPYTER = Path(__file__).parent / "jupyter"
"""How JupyterLab is set: it neither asks each new user about news nor looks for newer versions, and
terminals are no login shells, in which Debian has only the system's programs be found."""


def configure(c: Any, settings: Settings) -> None:
    """Configure a hub: what is the same on one machine and on Kubernetes, then what is not."""
    c.Spawner.options_form = options.form(settings)
    c.Spawner.options_from_form = options.from_form(settings)
    c.Spawner.apply_user_options = options.apply(settings)
    c.Spawner.default_url = "/lab"
    _cull_idle_servers(c, settings)
    c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server"]
    login.configure(c, settings)
    gateway.configure(c, settings)
    if settings.backend == "local":
        _configure_machine(c, settings)


def _cull_idle_servers(c: Any, settings: Settings) -> None:
    timeout = settings.idle_server_minutes * 60
    command = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={timeout:.0f}"]
    command += [f"--cull-every={max(1, min(600, timeout / 2)):.0f}"]
    c.JupyterHub.services.append({"name": "idle-culler", "command": command})
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    _add_role(c, "idle-culler", scopes)


def _add_role(c: Any, service: str, scopes: list[str]) -> None:
    c.JupyterHub.load_roles.append({"name": service, "services": [service], "scopes": scopes})


def _configure_machine(c: Any, settings: Settings) -> None:
    from flavorframe.facility.spawner import FacilitySpawner

    private = settings.private
    c.JupyterHub.bind_url = settings.url
    c.JupyterHub.hub_port = settings.hub_port
    c.JupyterHub.db_url = f"sqlite:///{private}/jupyterhub.sqlite"
    c.JupyterHub.cookie_secret_file = str(private / "cookie-secret")
    # Servers and the proxy outlive the hub, so that it can be restarted under way.
    c.JupyterHub.cleanup_servers = False
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.proxy_port}"
    c.ConfigurableHTTPProxy.auth_token = (private / "proxy-token").read_text()
    c.JupyterHub.spawner_class = FacilitySpawner
    c.FacilitySpawner.facility = settings
    # Where all come at once, as to a workshop, JupyterLab takes long to be imported.
    c.FacilitySpawner.start_timeout = c.FacilitySpawner.http_timeout = 180
    c.FacilitySpawner.interrupt_timeout = 1  # a server answers with a question, and ends at TERM
    c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
    c.Spawner.environment.update({"JUPYTER_CONFIG_PATH": str(JUPYTER)})
    # Users share loopback, where whoever asks would get a kernel's outputs.
    c.Spawner.args.append("--KernelManager.transport_encryption=auto")
    token = (private / "service-token").read_text()
    c.JupyterHub.services.append({"name": SERVICE, "api_token": token})
    _add_role(c, SERVICE, ["list:users", "read:users", "read:servers", "delete:servers"])
