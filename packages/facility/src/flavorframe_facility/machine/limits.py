"""Limits of cores and memory for the processes of a server or worker, enforced by the kernel.

Control groups, of version 2 or 1, limit all processes of a server together: they wait for cores
beyond the limit, and one that takes memory beyond it is killed. If control groups cannot be
written, the server is bound to as many cores, and each process has the limit of memory by itself.
"""

from __future__ import annotations

import os
import random
import resource
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000
"""Microseconds of the period in which the use of cores is limited."""

Files = Mapping[Path, str]


def kind() -> str:
    """Return how limits are enforced on this machine, for the administrator."""
    version = _version()
    if version:
        return f"by control groups (version {version}), all processes of a server together"
    return "for each process of a server by itself, for control groups cannot be written here"


def create_group(name: str, cores: float, memory: int) -> Callable[[], None]:
    """Make a control group with limits.

    Args:
        name: Name of the group; the limits of a group that exists are changed.
        cores: Number of cores.
        memory: Memory, in bytes.

    Returns:
        The function by which a process joins the group.

    """
    version = _version()
    if not version:
        return _process_limits(cores, memory)
    folders = _folders(version, name)
    for folder in folders:
        folder.mkdir(exist_ok=True)
    for file, value in _settings(version, folders, cores, memory).items():
        if file.exists():  # some kernels have no files for swap
            file.write_text(value)

    def join() -> None:
        for folder in folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    return join


def remove_group(name: str) -> None:
    """Remove a control group whose processes have ended."""
    for folder in _folders(_version(), name):
        try:
            folder.rmdir()
        except OSError:  # never made, or in use by a process that is still ending: it may stay
            continue


def _version() -> int:
    """Return the version of control groups that can be written: 2, 1, or 0 for none."""
    if os.geteuid() != 0:
        return 0
    if (ROOT / "cgroup.controllers").exists():
        return 2 if _are_delegated() else 0
    return 1 if all(os.access(ROOT / part, os.W_OK) for part in ("memory", "cpu")) else 0


def _are_delegated() -> bool:
    control = ROOT / "cgroup.subtree_control"
    if {"cpu", "memory"} <= set(control.read_text().split()):
        return os.access(ROOT, os.W_OK)
    try:
        control.write_text("+cpu +memory")
    except OSError:  # in a container without rights
        return False
    return True


def _folders(version: int, name: str) -> list[Path]:
    group = f"flavorframe-{name}"
    return [ROOT / group] if version == 2 else [ROOT / part / group for part in ("memory", "cpu")]


def _settings(version: int, folders: list[Path], cores: float, memory: int) -> Files:
    quota = int(cores * PERIOD)
    if version == 2:
        (folder,) = folders
        return {
            folder / "memory.max": str(memory),
            folder / "memory.swap.max": "0",
            folder / "cpu.max": f"{quota} {PERIOD}",
        }
    of_memory, of_cores = folders
    _remove_limits(of_memory)
    return {
        of_memory / "memory.limit_in_bytes": str(memory),
        of_memory / "memory.memsw.limit_in_bytes": str(memory),
        of_cores / "cpu.cfs_period_us": str(PERIOD),
        of_cores / "cpu.cfs_quota_us": str(quota),
    }


def _remove_limits(folder: Path) -> None:
    """Remove the limits of a group of version 1.

    New ones could not be set otherwise: the limit with swap can never be below that without.
    """
    for name in ("memory.memsw.limit_in_bytes", "memory.limit_in_bytes"):
        if (folder / name).exists():
            (folder / name).write_text("-1")


def _process_limits(cores: float, memory: int) -> Callable[[], None]:
    here = sorted(os.sched_getaffinity(0))
    chosen = random.sample(here, min(len(here), max(1, int(cores))))

    def bind() -> None:
        os.sched_setaffinity(0, chosen)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

    return bind
