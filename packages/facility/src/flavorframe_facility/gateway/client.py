"""A client of the gateway's administration, for the command line and the administrators' page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flavorframe_facility.api import ask
from flavorframe_facility.settings import Settings

PATH = "/api/administration/clusters"
"""Path at the gateway."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs or starts.

    Args:
        name: Its name.
        owner: Name of the user who made it.
        status: ``"running"``, ``"pending"`` or ``"stopping"``.
        since: When it was made, in seconds of the Unix epoch.
        workers: Number of its workers.
        worker_cores: Cores of a worker.
        worker_memory: Memory of a worker, in bytes.
        cores: Cores of workers and scheduler together.
        memory: Memory of workers and scheduler together, in bytes.

    """

    name: str
    owner: str
    status: str
    since: float
    workers: int
    worker_cores: float
    worker_memory: int
    cores: float
    memory: int

    @classmethod
    def of(
        cls, name: str, owner: str, status: str, since: float, workers: int,
        config: Mapping[str, Any],
    ) -> Cluster:  # fmt: skip
        """Return a cluster with so many workers, of the size that its configuration says."""
        cores, memory = config["worker_cores"], int(config["worker_memory"])
        return cls(
            name, owner, status, since, workers, cores, memory,
            cores=workers * cores + config["scheduler_cores"],
            memory=workers * memory + int(config["scheduler_memory"]),
        )  # fmt: skip


def clusters(settings: Settings, token: str) -> list[Cluster]:
    """Return the clusters of all users.

    Args:
        settings: Settings of the facility.
        token: Token of a service of the hub that may administer clusters.

    """
    return [Cluster(**one) for one in ask("gateway", _url(settings), token)]


def stop(settings: Settings, token: str, name: str) -> None:
    """Stop a cluster of any user."""
    ask("gateway", f"{_url(settings)}/{quote(name, safe='')}", token, "DELETE")


def _url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.gateway_port}{PATH}"
