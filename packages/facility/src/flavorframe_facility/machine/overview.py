"""All that ``flavorframe facility status`` tells: programs, servers, clusters, what users take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from flavorframe_facility import options
from flavorframe_facility.gateway import client as gateway
from flavorframe_facility.gateway.client import Cluster
from flavorframe_facility.hub import client as hub
from flavorframe_facility.hub.client import Server
from flavorframe_facility.machine import limits, operation, usage
from flavorframe_facility.machine.operation import State
from flavorframe_facility.machine.usage import Usage
from flavorframe_facility.settings import GB, Settings


@dataclass(frozen=True)
class Overview:
    """What runs at a facility.

    Args:
        settings: Settings of the facility.
        state: Its programs and servers.
        clusters: Dask clusters.
        usages: What the users of servers and clusters take.

    """

    settings: Settings
    state: State
    clusters: list[Cluster]
    usages: list[Usage]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "url": self.settings.url,
            "folder": str(self.settings.folder),
            "up": self.state.is_up,
            "programs": {
                name: None if since is None else since.isoformat()
                for name, since in self.state.programs.items()
            },
            "servers": [asdict(one) for one in self.state.servers],
            "clusters": [{**asdict(one), "since": _iso(one.since)} for one in self.clusters],
            "users": [asdict(one) for one in self.usages],
            "limits": limits.kind(),
        }

    def lines(self) -> Iterable[str]:
        """Return all of it as text."""
        yield f"{self._summary()}  (kept in {self.settings.folder})"
        for name, since in self.state.programs.items():
            yield f"{name:13} {'down' if since is None else f'up since {_time(since)}'}"
        yield from (self._of_server(server) for server in self.state.servers)
        yield from map(_of_cluster, self.clusters)
        yield from map(_of_user, self.usages)
        yield f"limits are enforced {limits.kind()}"

    def _summary(self) -> str:
        if self.state.is_up:
            return self.settings.url
        return "not running" if self.state.is_down else "not all of it runs"

    def _of_server(self, server: Server) -> str:
        size = ", ".join(options.texts(self.settings, server.options))
        return f"server of {server.user}: {size}, since {moment(server.since)}"


def look(settings: Settings) -> Overview:
    """Return what runs at a facility.

    Raises:
        FacilityError: Hub or gateway run, but do not answer.

    """
    state = operation.state(settings)
    clusters: list[Cluster] = []
    if state.programs["hub"] and state.programs["gateway"]:  # which asks the hub who asks
        clusters = gateway.clusters(settings, hub.token_of_command_line(settings))
    return Overview(settings, state, clusters, usage.of_users(settings, state.servers, clusters))


def _of_cluster(cluster: Cluster) -> str:
    workers = _counted(cluster.workers, "worker")
    size = f"{_counted(cluster.worker_cores, 'core')} and {cluster.worker_memory / GB:g} GB"
    return (
        f"cluster of {cluster.owner}: {cluster.name}, {cluster.status}, {workers} of {size}, "
        f"since {moment(cluster.since)}"
    )


def _counted(number: float, what: str) -> str:
    return f"{number:g} {what}{'' if number == 1 else 's'}"


def _of_user(one: Usage) -> str:
    return (
        f"{one.user} uses {one.cores:.1f} of {one.cores_allowed:g} cores and "
        f"{one.memory / GB:.1f} of {one.memory_allowed / GB:.1f} GB"
    )


def moment(since: str | float) -> str:
    """Return a time, in ISO 8601 or seconds of the Unix epoch, as the machine's clock has it."""
    if isinstance(since, str):
        return _time(datetime.fromisoformat(since.replace("Z", "+00:00")))
    return _time(datetime.fromtimestamp(since, timezone.utc))


def _time(known: datetime) -> str:
    return f"{known.astimezone():%Y-%m-%d %H:%M}"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()
