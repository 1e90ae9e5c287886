"""The programs of a facility on one machine: the proxy, the hub and the gateway's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flavorframe.facility import gateway
from flavorframe.facility.installation import proxy_command
from flavorframe.facility.processes import Program, configuration
from flavorframe.facility.settings import Settings


def programs(settings: Settings) -> tuple[Program, ...]:
    """Return all programs, in the order in which they start."""
    return (_proxy(settings), _hub(settings), *gateway.programs(settings))


def _proxy(settings: Settings) -> Program:
    hub = f"http://127.0.0.1:{settings.hub_port}"
    options = {
        "ip": settings.address,
        "port": settings.port,
        "api-ip": "127.0.0.1",
        "api-port": settings.proxy_port,
        "default-target": hub,
        "error-target": f"{hub}/hub/error",
    }
    if settings.certificate is not None and settings.key is not None:
        options |= {"ssl-cert": settings.certificate, "ssl-key": settings.key}
    flags = [f"--{name}={value}" for name, value in options.items()]
    return Program(
        name="proxy",
        command=(proxy_command(settings), *flags),
        health=f"{settings.url}_chp_healthz",
        environment={"CONFIGPROXY_AUTH_TOKEN": (settings.private / "proxy-token").read_text()},
    )


def _hub(settings: Settings) -> Program:
    file = configuration(settings, "jupyterhub_config.py", "hub_config")
    # Beside this Python are the programs that notebooks call.
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    return Program(
        name="hub",
        command=(sys.executable, "-m", "jupyterhub", "-f", file),
        health=f"http://127.0.0.1:{settings.hub_port}/hub/health",
        environment={"PATH": path},
    )
