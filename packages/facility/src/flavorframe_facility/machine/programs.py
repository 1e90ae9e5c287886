"""The programs of a facility on one machine: hub and gateway, and the proxy of each."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flavorframe_facility import start
from flavorframe_facility.gateway.config import PREFIX
from flavorframe_facility.machine.installation import proxy_command
from flavorframe_facility.machine.processes import Program, configuration
from flavorframe_facility.settings import Settings


def programs(settings: Settings) -> tuple[Program, ...]:
    """Return all programs, in the order in which they start."""
    return (_proxy(settings), _hub(settings), *_gateway(settings))


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
    flags = ["--host-routing", *(f"--{name}={value}" for name, value in options.items())]
    return Program(
        name="proxy",
        command=(proxy_command(settings), *flags),
        health=f"{settings.bind_url}_chp_healthz",
        environment={"CONFIGPROXY_AUTH_TOKEN": (settings.private / "proxy-token").read_text()},
    )


def _hub(settings: Settings) -> Program:
    file = configuration(settings, "jupyterhub_config.py", "hub")
    # Users' notebooks call programs that are installed beside this Python.
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    return Program(
        name="hub",
        command=tuple(start.command("jupyterhub", "-f", file)),
        health=f"http://127.0.0.1:{settings.hub_port}/hub/health",
        environment={"PATH": path},
    )


def _gateway(settings: Settings) -> tuple[Program, ...]:
    """Return the gateway and its proxy, a program of its own that is not restarted with it."""
    file = configuration(settings, "gateway_config.py", "gateway")
    command = (sys.executable, "-m", "dask_gateway_server")
    api = f"http://127.0.0.1:{settings.gateway_port}"
    front = f"http://127.0.0.1:{settings.gateway_proxy_port}{PREFIX}"
    return (
        Program("gateway-proxy", (*command, "proxy", "-f", file), f"{front}/api/health"),
        Program("gateway", (*command, "-f", file), f"{api}/api/health"),
    )
