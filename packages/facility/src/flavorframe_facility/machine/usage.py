"""What servers and clusters of users take now, and what they may take.

Which processes are a user's is known from control groups where there are any, otherwise from the
user's account, or, where all share one, from the home in their environment.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from flavorframe_facility.gateway.client import Cluster
from flavorframe_facility.hub.client import Server
from flavorframe_facility.isolation import users_have_accounts
from flavorframe_facility.machine import accounts, groups, limits
from flavorframe_facility.options import choices
from flavorframe_facility.settings import GB, Settings

INTERVAL = 1.0
"""Seconds during which cores are counted."""


@dataclass(frozen=True)
class Usage:
    """What the server and the clusters of a user take together.

    Args:
        user: Name of the user.
        cores: Cores that they use now.
        memory: Memory that they use now, in bytes.
        cores_allowed: Cores that they may use.
        memory_allowed: Memory that they may use, in bytes.

    """

    user: str
    cores: float
    memory: int
    cores_allowed: float
    memory_allowed: int


def of_users(
    settings: Settings, servers: Iterable[Server], clusters: Iterable[Cluster]
) -> list[Usage]:
    """Return what each user with a server or a cluster takes.

    Args:
        settings: Settings of the facility.
        servers: The servers that run.
        clusters: The clusters that run.

    """
    servers, clusters = list(servers), list(clusters)
    names = sorted({one.user for one in servers} | {one.owner for one in clusters})
    users = [_User(settings, name, servers, clusters) for name in names]
    before = [user.times() for user in users]
    started = time.monotonic()
    if users:
        time.sleep(INTERVAL)
    return [
        user.usage(times, time.monotonic() - started)
        for user, times in zip(users, before, strict=True)
    ]


def anything_runs(settings: Settings) -> bool:
    """Whether a server or a cluster of any user runs."""
    if groups.version():
        return bool(groups.all_members(limits.facility(settings)))
    return any(_is_somebodys(settings, process) for process in psutil.process_iter())


def _is_somebodys(settings: Settings, process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        if users_have_accounts():
            return bool(process.username().startswith(settings.accounts))
        return str(process.environ().get("HOME")).startswith(f"{settings.homes}/")
    return False  # it has ended, or is somebody else's


Times = dict[tuple[int, float], float]
"""Seconds of a core that processes have taken, by their number and creation."""


class _User:
    """A user with a server or clusters.

    Args:
        settings: Settings of the facility.
        name: Name of the user.
        servers: Servers of all users.
        clusters: Clusters of all users.

    """

    def __init__(
        self, settings: Settings, name: str, servers: list[Server], clusters: list[Cluster]
    ) -> None:
        self._settings, self._name = settings, name
        self._clusters = [one for one in clusters if one.owner == name]
        self._servers = [one for one in servers if one.user == name]

    def usage(self, before: Times, passed: float) -> Usage:
        """Return what the user takes, from the times of some seconds ago."""
        after = self.times()
        spent = sum(seconds - before.get(process, 0.0) for process, seconds in after.items())
        allowed = [_size(self._settings, one) for one in self._servers]
        allowed += [(one.cores, one.memory) for one in self._clusters]
        return Usage(
            self._name,
            spent / passed,
            self._memory(),
            sum(cores for cores, _ in allowed),
            sum(memory for _, memory in allowed),
        )

    def times(self) -> Times:
        """Return the times of all processes of the user."""
        found = {}
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                spent = process.cpu_times()
                found[process.pid, process.create_time()] = spent.user + spent.system
        return found

    def _memory(self) -> int:
        if groups.version():
            facility = limits.facility(self._settings)
            return sum(groups.memory(facility, name) for name in self._groups())
        total = 0
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def _processes(self) -> list[psutil.Process]:
        if not groups.version():
            return [one for one in psutil.process_iter() if self._has(one)]
        facility = limits.facility(self._settings)
        numbers = {one for name in self._groups() for one in groups.members(facility, name)}
        return [process for process in map(_process, numbers) if process is not None]

    def _groups(self) -> list[str]:
        """Return the names of the control groups of the user's server and clusters."""
        prefixes = tuple(limits.group_of_cluster(one.name, "") for one in self._clusters)
        server = limits.group_of_server(self._name)
        known = groups.names(limits.facility(self._settings))
        return [name for name in known if name == server or name.startswith(prefixes)]

    def _has(self, process: psutil.Process) -> bool:
        """Whether a process has the user's account, or where all share one, the user's home."""
        short = accounts.short_name(self._name)
        with contextlib.suppress(psutil.Error):
            if users_have_accounts():
                return bool(process.username() == self._settings.accounts + short)
            return bool(process.environ().get("HOME") == str(self._settings.homes / short))
        return False  # it has ended, or is somebody else's


def _process(number: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(number)
    return None


def _size(settings: Settings, server: Server) -> tuple[float, int]:
    """Return cores and memory of a server; the first choice of what its user left open."""
    first = {name: next(iter(possible)) for name, possible in choices(settings).items()}
    chosen = {**first, **server.options}
    return float(chosen["cores"]), int(chosen["memory"]) * GB
