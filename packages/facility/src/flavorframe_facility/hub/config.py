"""JupyterHub's configuration that is the same on one machine and on Kubernetes."""

from __future__ import annotations

import json
import sys

from traitlets.config import Config

from flavorframe_facility import headers, options
from flavorframe_facility.gateway import config as gateway
from flavorframe_facility.hub import origins
from flavorframe_facility.login import config as login
from flavorframe_facility.settings import Settings


def configure(c: Config, settings: Settings) -> None:
    """Configure a hub: options, origins, login, Dask Gateway, and stopping idle servers.

    Args:
        c: Configuration of JupyterHub, which is changed.
        settings: Settings of the facility.

    """
    c.Spawner.options_form = options.form(settings)
    c.Spawner.options_from_form = options.from_form(settings)
    c.Spawner.apply_user_options = options.apply(settings)
    c.Spawner.default_url = "/lab"
    _cull_idle_servers(c, settings)
    c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server"]
    origins.configure(c, settings)
    login.configure(c, settings)
    gateway.configure(c)
    _add_headers(c, settings)


def add_role(c: Config, service: str, scopes: list[str]) -> None:
    """Let a service of the hub do what some scopes allow."""
    c.JupyterHub.load_roles.append({"name": service, "services": [service], "scopes": scopes})


def _add_headers(c: Config, settings: Settings) -> None:
    from flavorframe_facility.server.headers import VARIABLE, adding

    c.JupyterHub.tornado_settings.update({"transforms": [adding(headers.of(settings))]})
    c.Spawner.environment.update({VARIABLE: json.dumps(headers.of(settings))})
    extension = "flavorframe_facility.server.headers"
    c.Spawner.args.append(f"--ServerApp.jpserver_extensions={extension}=True")


def _cull_idle_servers(c: Config, settings: Settings) -> None:
    timeout = settings.idle_server_minutes * 60
    command = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={timeout:.0f}"]
    command += [f"--cull-every={max(1, min(600, timeout / 2)):.0f}"]
    c.JupyterHub.services.append({"name": "idle-culler", "command": command})
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    add_role(c, "idle-culler", scopes)
