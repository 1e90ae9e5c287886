"""The hub on Kubernetes: what the Helm chart chose, for users' servers in pods."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from flavorframe.errors import FacilityError
from flavorframe.facility import gateway, hub_config, options
from flavorframe.facility.settings import Settings, make

VARIABLE = "FLAVORFRAME_FACILITY"
"""Variable of the hub and the gateway with what the chart chose, as JSON."""


def chosen() -> dict[str, Any]:
    """Return what the chart chose: settings, the guaranteed share of cores, volumes of pods.

    Raises:
        FacilityError: This is not a pod of the chart.

    """
    text = os.environ.get(VARIABLE)
    if text is None:
        raise FacilityError(
            f"{VARIABLE} is not set: it comes from the ConfigMap flavorframe-facility of the chart."
        )
    return json.loads(text)  # type: ignore[no-any-return]


def configure_hub(c: Any) -> None:
    """Configure the hub of the JupyterHub chart, after what that chart has configured itself."""
    choice = chosen()
    settings = make(**choice["settings"])
    c.Spawner.environment = {}
    c.JupyterHub.services = list(c.JupyterHub.services)
    hub_config.configure(c, settings)
    limit(c, settings, choice["guaranteed_share_of_cores"])
    # The chart's own choice for KubeSpawner would hide what is said of all spawners.
    pods = choice["pods"]
    address = f"http://traefik-{gateway.SERVICE}{gateway.PREFIX}"
    ours = {"DASK_GATEWAY__ADDRESS": address, **pods["environment"]}
    c.KubeSpawner.environment = {
        **dict(c.KubeSpawner.get("environment", {})),
        **{name: _literal(text) for name, text in {**c.Spawner.environment, **ours}.items()},
    }
    c.KubeSpawner.volumes.update({volume["name"]: volume for volume in pods["volumes"]})
    c.KubeSpawner.volume_mounts.update({mount["name"]: mount for mount in pods["mounts"]})
    c.KubeSpawner.container_security_context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }


def _literal(text: str) -> str:
    """Return a text that KubeSpawner, which fills in what is in braces, leaves as it was."""
    return text.replace("{", "{{").replace("}", "}}")


def limit(c: Any, settings: Settings, share: float) -> None:
    """Have a server get its memory whole, and at least a share of its cores at any time."""
    set_up = options.apply(settings)

    def apply(spawner: Any, asked: Mapping[str, Any]) -> None:
        set_up(spawner, asked)
        spawner.mem_guarantee = spawner.mem_limit
        spawner.cpu_guarantee = spawner.cpu_limit * share

    c.Spawner.apply_user_options = apply
