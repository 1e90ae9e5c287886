"""Processes of a user that are left when everything of the user's has ended."""

from __future__ import annotations

import contextlib
import shutil
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from flavorframe_facility.machine import processes
from flavorframe_facility.machine.enter import SHARED_MEMORY


def end(user: int, spared: Iterable[int], seconds: float = 5) -> None:
    """Kill the processes of an account, and remove its shared memory if none is left.

    Args:
        user: Number of the account, which is never that of root.
        spared: Numbers of processes that go on, in a control group.
        seconds: How long to try, while processes start others.

    """
    if user == 0:
        return
    kept = set(spared)
    until = time.monotonic() + seconds
    while (found := _processes(user, kept)) and time.monotonic() < until:
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                processes.send(process.pid, process.create_time(), signal.SIGKILL)
        time.sleep(0.02)
    if not _processes(user, set()):
        _remove_shared_memory(user)


def _processes(user: int, kept: set[int]) -> list[psutil.Process]:
    found = psutil.process_iter(["uids", "status"])
    return [
        process
        for process in found
        if process.pid not in kept
        and process.info["uids"] is not None
        and process.info["uids"].real == user
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def _remove_shared_memory(user: int) -> None:
    for path in Path(SHARED_MEMORY).iterdir():
        with contextlib.suppress(OSError):
            if path.lstat().st_uid != user:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
