"""Control groups: what all processes of a server or worker may take together, and their end.

All groups of a facility are in one, which has the limits of all of them together. Version 1 has a
tree of groups for each kind of limit, version 2 has one tree for all.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flavorframe.errors import FacilityError
from flavorframe_facility.settings import GB

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000
"""Microseconds of the period in which the use of cores is limited."""

_STARTING = 60  # seconds in which the first process of a group enters it

log = logging.getLogger("flavorframe_facility")


@dataclass(frozen=True)
class Limits:
    """What the processes of a server or worker may take together.

    Args:
        cores: Number of cores.
        memory: Memory, in bytes.
        processes: Number of processes and threads.

    """

    cores: float
    memory: int
    processes: int


@dataclass(frozen=True)
class Facility:
    """The control groups of a facility.

    Args:
        name: Name that no other facility of this machine has.
        memory: Memory of all groups together, in bytes.

    """

    name: str
    memory: int


def version() -> int:
    """Return the version of control groups that can be written: 2, 1, or 0 for none."""
    if os.geteuid() != 0:
        return 0
    if (ROOT / "cgroup.controllers").exists():
        return 2 if _are_delegated(ROOT) else 0
    return 1 if all(os.access(ROOT / part, os.W_OK) for part in ("memory", "cpu")) else 0


def enforced() -> dict[str, bool]:
    """Return which limits the kernel enforces, of cores, memory and processes."""
    if (ROOT / "cgroup.controllers").exists():
        found = set((ROOT / "cgroup.controllers").read_text().split())
    else:
        found = {kind for kind in ("cpu", "memory", "pids") if os.access(ROOT / kind, os.W_OK)}
    return {"cores": "cpu" in found, "memory": "memory" in found, "processes": "pids" in found}


def create(facility: Facility, name: str, limits: Limits) -> tuple[str, ...]:
    """Make a control group, unless all groups together would take more than there is.

    Args:
        facility: The groups of the facility.
        name: Name of the group; the limits of a group that exists are changed.
        limits: Limits of the group.

    Returns:
        The folders in which a process enters the group.

    Raises:
        FacilityError: Too little memory is left.

    """
    _make_parents(facility)
    with _locked(facility):
        left = facility.memory - taken(facility, without=name)
        if limits.memory > left:
            raise FacilityError(
                f"all servers and clusters together have {facility.memory / GB:.0f} GB of memory, "
                f"of which {max(0, left) / GB:.0f} GB are left: stop a server or a cluster, or "
                "choose less."
            )
        folders = _folders(facility, name)
        for folder in folders:
            folder.mkdir(exist_ok=True)
        _write(_settings(folders, limits))
    return tuple(map(str, folders))


def taken(facility: Facility, *, without: str = "", of_workers: bool = True) -> int:
    """Return the memory that groups may take together, in bytes.

    Args:
        facility: The groups of the facility.
        without: Name of a group that is not counted.
        of_workers: Whether the groups of Dask workers are counted.

    """
    parent = _parents(facility)[0]
    total = 0
    for group in parent.iterdir() if parent.exists() else ():
        counted = of_workers or not _is_worker(group.name)
        if group.is_dir() and counted and group.name != without and _is_used(group):
            total += _memory_of(group)
    return total


def members(facility: Facility, name: str) -> set[int]:
    """Return the numbers of the processes of a group."""
    return {number for folder in _folders(facility, name) for number in _processes(folder)}


def names(facility: Facility) -> list[str]:
    """Return the names of a facility's groups."""
    parent = _parents(facility)[0]
    return [path.name for path in parent.iterdir() if path.is_dir()] if parent.exists() else []


def memory(facility: Facility, name: str) -> int:
    """Return the memory that a group takes now, in bytes, without files that can be read anew."""
    group = _folders(facility, name)[0]
    try:
        lines = (group / "memory.stat").read_text().splitlines()
    except OSError:  # the group is gone
        return 0
    counted = dict(line.split() for line in lines)
    files = counted.get("total_inactive_file", counted.get("inactive_file", "0"))
    return max(0, _usage(group) - int(files))


def all_members(facility: Facility) -> set[int]:
    """Return the numbers of all processes in groups of a facility."""
    if not version():
        return set()
    return {number for name in names(facility) for number in members(facility, name)}


def end(facility: Facility, name: str, seconds: float = 10) -> None:
    """Kill all processes of a group, whatever session they are in, and remove it.

    Args:
        facility: The groups of the facility.
        name: Name of the group.
        seconds: How long to wait until they have ended.

    """
    folders = [folder for folder in _folders(facility, name) if folder.exists()]
    for folder in folders:
        _forbid_new_processes(folder)
    until = time.monotonic() + seconds
    while members(facility, name) and time.monotonic() < until:
        _kill(facility, name, folders)
        time.sleep(0.02)
    if members(facility, name):
        log.error("Processes of %s do not end: %s", name, members(facility, name))
    for folder in folders:
        with contextlib.suppress(OSError):  # a process is still ending
            folder.rmdir()


def remove(facility: Facility) -> None:
    """Remove the groups of a facility in which nothing runs."""
    for parent in _parents(facility):
        groups = [path for path in parent.iterdir() if path.is_dir()] if parent.exists() else []
        for folder in (*groups, parent):
            with contextlib.suppress(OSError):  # something runs in it
                folder.rmdir()


def _kill(facility: Facility, name: str, folders: list[Path]) -> None:
    for folder in folders:
        if (folder / "cgroup.kill").exists():  # version 2, since Linux 5.14
            (folder / "cgroup.kill").write_text("1")
            return
    for number in members(facility, name):
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(number)
            try:
                if number in members(facility, name):  # otherwise the number is another's by now
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
            finally:
                os.close(handle)


def _forbid_new_processes(folder: Path) -> None:
    """Forbid forks, so that no process is missed while all are killed."""
    if (folder / "pids.max").exists():
        (folder / "pids.max").write_text("0")


def _are_delegated(folder: Path) -> bool:
    """Whether the groups in a folder have the limits that are needed; they get them if not."""
    control = folder / "cgroup.subtree_control"
    if {"cpu", "memory", "pids"} <= set(control.read_text().split()):
        return os.access(folder, os.W_OK)
    try:
        control.write_text("+cpu +memory +pids")
    except OSError:  # in a container without rights
        return False
    return True


def _trees() -> list[Path]:
    """Return the roots of all trees of groups, that of memory first."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [ROOT / kind for kind in ("memory", "cpu", "pids") if (ROOT / kind).exists()]


def _parents(facility: Facility) -> list[Path]:
    return [tree / f"flavorframe-{facility.name}" for tree in _trees()]


def _folders(facility: Facility, name: str) -> list[Path]:
    return [parent / name for parent in _parents(facility)]


def _make_parents(facility: Facility) -> None:
    parents = _parents(facility)
    for parent in parents:
        parent.mkdir(exist_ok=True)
    if _usage(parents[0]) < facility.memory:  # otherwise something would be killed
        with contextlib.suppress(OSError):  # more is taken meanwhile
            _write(_settings_of_memory(parents[0], facility.memory))
    if version() == 2:
        _are_delegated(parents[0])


@contextlib.contextmanager
def _locked(facility: Facility) -> Iterator[None]:
    """Hold the lock of a facility's groups, for hub and gateway make them at the same time."""
    folder = os.open(_parents(facility)[0], os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _write(settings: Mapping[Path, str]) -> None:
    for file, value in settings.items():
        if file.exists():  # it depends on the version, and some kernels have none for swap
            file.write_text(value)


def _usage(group: Path) -> int:
    """Return the memory that a group takes now, in bytes."""
    return _number(group, "memory.current", "memory.usage_in_bytes")


def _settings(folders: list[Path], limits: Limits) -> Mapping[Path, str]:
    quota = int(limits.cores * PERIOD)
    files = dict(_settings_of_memory(folders[0], limits.memory))
    for folder in folders:
        files[folder / "pids.max"] = str(limits.processes)
        files[folder / "cpu.max"] = f"{quota} {PERIOD}"
        files[folder / "cpu.cfs_period_us"] = str(PERIOD)
        files[folder / "cpu.cfs_quota_us"] = str(quota)
    return files


def _settings_of_memory(folder: Path, memory: int) -> Mapping[Path, str]:
    _remove_limits(folder)
    return {
        folder / "memory.max": str(memory),
        folder / "memory.swap.max": "0",
        folder / "memory.limit_in_bytes": str(memory),
        folder / "memory.memsw.limit_in_bytes": str(memory),
    }


def _remove_limits(folder: Path) -> None:
    """Remove the limits of a group of version 1.

    New ones could not be set otherwise: the limit with swap can never be below that without.
    """
    for name in ("memory.memsw.limit_in_bytes", "memory.limit_in_bytes"):
        if (folder / name).exists():
            (folder / name).write_text("-1")


def _memory_of(group: Path) -> int:
    """Return the memory that a group may take, in bytes."""
    return _number(group, "memory.max", "memory.limit_in_bytes")


def _number(group: Path, *names: str) -> int:
    """Return the number in the first of some files that there is; 0 if there is none."""
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            return int((group / name).read_text())
    return 0


def _is_worker(name: str) -> bool:
    return name.startswith("dask-") and not name.endswith("-scheduler")


def _is_used(group: Path) -> bool:
    """Whether a group has processes, or is so young that the first may still enter it."""
    with contextlib.suppress(FileNotFoundError):
        return bool(_processes(group)) or time.time() - group.stat().st_mtime < _STARTING
    return False


def _processes(folder: Path) -> set[int]:
    try:
        return {int(line) for line in (folder / "cgroup.procs").read_text().split()}
    except OSError:  # the group is gone
        return set()
