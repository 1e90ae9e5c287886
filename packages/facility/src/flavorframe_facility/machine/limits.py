"""Limits of cores, memory and processes for a server or worker, enforced by the kernel.

Control groups, of version 2 or 1, limit all processes of a server together: they wait for cores
beyond the limit, one that takes memory beyond it is killed, and there are no more processes than
allowed. Where they cannot be written, the server is bound to as many cores, and each process has
the limit of memory by itself.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace

import psutil

from flavorframe_facility.isolation import users_have_accounts
from flavorframe_facility.machine import groups, strays
from flavorframe_facility.machine.accounts import Account, short_name
from flavorframe_facility.machine.enter import Entry
from flavorframe_facility.machine.groups import Facility, Limits
from flavorframe_facility.settings import GB, Settings

PROGRAM_PROCESSES = 4096
"""Number of processes and threads of a program of the facility, with those that it starts."""


def kind() -> str:
    """Return how limits are enforced on this machine, for the administrator."""
    version = groups.version()
    if version:
        return f"by control groups (version {version}), all processes of a server together"
    return "for each process of a server by itself, for control groups cannot be written here"


def facility(settings: Settings) -> Facility:
    """Return the control groups of a facility, and what all of them may take together."""
    here = psutil.virtual_memory().total
    memory = here if settings.total_memory is None else settings.total_memory * GB
    return Facility(settings.accounts.rstrip("-"), memory)


def group_of_server(user: str) -> str:
    """Return the name of the control group of a user's server."""
    return f"server-{short_name(user)}"


def group_of_cluster(cluster: str, part: str) -> str:
    """Return the name of the control group of a part of a cluster: the scheduler or a worker."""
    return f"dask-{cluster[:12]}-{part[:12]}"


def entry(settings: Settings, owner: Account, group: str, cores: float, memory: int) -> Entry:
    """Return how a process of a user gets its account and its limits.

    Args:
        settings: Settings of the facility.
        owner: Account of the user.
        group: Name of the control group.
        cores: Number of cores.
        memory: Memory, in bytes.

    Raises:
        FacilityError: All servers and clusters together would take more than there is.

    """
    limits = Limits(cores, memory, settings.processes_per_server)
    start = Entry(str(owner.home), account=_numbers(owner))
    if start.account is not None:
        start = replace(start, shared_memory=memory // 2)
    if groups.version():
        return replace(start, groups=groups.create(facility(settings), group, limits))
    return _limited(start, limits)


def program_group(settings: Settings, name: str) -> tuple[str, ...]:
    """Make a control group for a program of the facility, apart from those of users.

    A program that grows without end is killed, and neither the machine nor another program with it.

    Args:
        settings: Settings of the facility.
        name: Name of the program.

    Returns:
        The folders in which a process enters the group; none without control groups.

    """
    if not groups.version():
        return ()
    memory = psutil.virtual_memory().total // 4
    limits = Limits(os.cpu_count() or 1, memory, PROGRAM_PROCESSES)
    return groups.create(_programs(settings), name, limits)


def end_program(settings: Settings, name: str) -> None:
    """End what a program left behind in its control group."""
    if groups.version():
        groups.end(_programs(settings), name)


def _programs(settings: Settings) -> Facility:
    return Facility(f"{facility(settings).name}-programs", psutil.virtual_memory().total)


def left_to_workers(settings: Settings) -> int:
    """Return the memory that servers and schedulers leave to all Dask workers, in bytes."""
    ours = facility(settings)
    others = groups.taken(ours, of_workers=False) if groups.version() else 0
    return max(0, ours.memory - others)


def end(settings: Settings, group: str) -> None:
    """End all processes of a control group; without control groups there is none to end."""
    if groups.version():
        groups.end(facility(settings), group)


def remove(settings: Settings) -> None:
    """Remove the control groups of a facility that has stopped."""
    if groups.version():
        for each in (facility(settings), _programs(settings)):
            groups.remove(each)


def end_strays(settings: Settings, owner: Account) -> None:
    """End the processes of a user that are in no control group.

    Without control groups these are all of the user's, the Dask clusters with them.
    """
    if users_have_accounts():
        strays.end(owner.uid, groups.all_members(facility(settings)))


def _numbers(owner: Account) -> tuple[int, int, tuple[int, ...]] | None:
    if not users_have_accounts():
        return None
    return owner.uid, owner.gid, tuple(os.getgrouplist(owner.name, owner.gid))


def _limited(start: Entry, limits: Limits) -> Entry:
    """Return an entry with limits for each process by itself."""
    here = sorted(os.sched_getaffinity(0))
    cores = random.sample(here, min(len(here), max(1, int(limits.cores))))
    # The number of processes is that of an account, which may be the administrator's otherwise.
    processes = limits.processes if start.account is not None else None
    return replace(start, cores=tuple(cores), memory=limits.memory, processes=processes)
