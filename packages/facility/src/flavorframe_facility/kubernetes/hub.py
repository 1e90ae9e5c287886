"""The hub on Kubernetes: users' servers in pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub.spawner import Spawner
from traitlets.config import Config

from flavorframe_facility import options
from flavorframe_facility.gateway.config import PREFIX, SERVICE
from flavorframe_facility.hub import config as hub
from flavorframe_facility.kubernetes.chart import Pods, choice
from flavorframe_facility.settings import Settings, make


def configure(c: Config) -> None:
    """Configure the hub of the JupyterHub chart, after that chart's own configuration.

    Args:
        c: Configuration of JupyterHub, which is changed.

    Raises:
        FacilityError: This is not a pod of the chart, or a setting is wrong.

    """
    chosen = choice()
    settings = make(**chosen["settings"])
    c.Spawner.environment = {}
    c.JupyterHub.services = list(c.JupyterHub.services)
    hub.configure(c, settings)
    _limit(c, settings, chosen["guaranteed_share_of_cores"])
    _configure_pods(c, chosen["pods"])


def _limit(c: Config, settings: Settings, share: float) -> None:
    """Guarantee each server all of its memory, and a share of its cores."""
    set_up = options.apply(settings)

    def apply(spawner: Spawner, asked: Mapping[str, Any]) -> None:
        set_up(spawner, asked)
        spawner.mem_guarantee = spawner.mem_limit
        spawner.cpu_guarantee = spawner.cpu_limit * share

    c.Spawner.apply_user_options = apply


def _configure_pods(c: Config, pods: Pods) -> None:
    address = f"http://traefik-{SERVICE}{PREFIX}"
    ours = {"DASK_GATEWAY__ADDRESS": address, **pods["environment"]}
    # The chart sets KubeSpawner's environment, which takes precedence over Spawner's.
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
    """Return a text with its braces doubled, in which KubeSpawner would expand names."""
    return text.replace("{", "{{").replace("}", "}}")
