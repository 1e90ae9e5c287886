"""What servers and clusters of users take now, and what they may take.

Which processes are a user's is known from control groups where there are any, otherwise from the
user's account, or, where all share one, from the home in their environment.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
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
    users = sorted({one.user for one in servers} | {one.owner for one in clusters})
    theirs = {user: [one for one in clusters if one.owner == user] for user in users}
    before = {user: _seconds(_processes(settings, user, theirs[user])) for user in users}
    started = time.monotonic()
    if users:
        time.sleep(INTERVAL)
    passed = time.monotonic() - started
    usages = []
    for user in users:
        processes = _processes(settings, user, theirs[user])
        spent = _difference(_seconds(processes), before[user])
        allowed = [_size(settings, one) for one in servers if one.user == user]
        allowed += [(one.cores, one.memory) for one in theirs[user]]
        usages.append(
            Usage(
                user,
                spent / passed,
                _memory(settings, user, theirs[user], processes),
                sum(cores for cores, _ in allowed),
                sum(memory for _, memory in allowed),
            )
        )
    return usages


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


def _size(settings: Settings, server: Server) -> tuple[float, int]:
    """Return cores and memory of a server; the first choice of what its user left open."""
    first = {name: next(iter(possible)) for name, possible in choices(settings).items()}
    chosen = {**first, **server.options}
    return float(chosen["cores"]), int(chosen["memory"]) * GB


def _groups(settings: Settings, user: str, clusters: Sequence[Cluster]) -> list[str]:
    """Return the names of a user's control groups."""
    prefixes = tuple(limits.group_of_cluster(one.name, "") for one in clusters)
    server = limits.group_of_server(user)
    known = groups.names(limits.facility(settings))
    return [name for name in known if name == server or name.startswith(prefixes)]


def _processes(settings: Settings, user: str, clusters: Sequence[Cluster]) -> list[psutil.Process]:
    if groups.version():
        facility = limits.facility(settings)
        found = {
            number
            for name in _groups(settings, user, clusters)
            for number in groups.members(facility, name)
        }
        return [process for process in map(_process, found) if process is not None]
    return [process for process in psutil.process_iter() if _is_of(settings, user, process)]


def _process(number: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(number)
    return None


def _is_of(settings: Settings, user: str, process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        if users_have_accounts():
            return bool(process.username() == settings.accounts + accounts.short_name(user))
        home = settings.homes / accounts.short_name(user)
        return bool(process.environ().get("HOME") == str(home))
    return False  # it has ended, or is somebody else's


Times = dict[tuple[int, float], float]


def _seconds(processes: Iterable[psutil.Process]) -> Times:
    """Return the seconds of a core that each process has taken, by number and creation."""
    found = {}
    for process in processes:
        with contextlib.suppress(psutil.Error):
            spent = process.cpu_times()
            found[process.pid, process.create_time()] = spent.user + spent.system
    return found


def _difference(after: Times, before: Times) -> float:
    return sum(seconds - before.get(process, 0.0) for process, seconds in after.items())


def _memory(
    settings: Settings,
    user: str,
    clusters: Sequence[Cluster],
    processes: Iterable[psutil.Process],
) -> int:
    if groups.version():
        facility = limits.facility(settings)
        return sum(groups.memory(facility, name) for name in _groups(settings, user, clusters))
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total
