"""Become a user and enter a control group, then execute a program.

The hub and the gateway have threads, beside which ``preexec_fn`` is not safe. They start this file
instead, which needs Python's standard library alone: the process begins as root, gives up what the
user must not have, and then executes the program under the same process number.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_NEW_MOUNTS, _NEW_IPC = 0x20000, 0x8000000  # CLONE_NEWNS, CLONE_NEWIPC of <sched.h>
_RECURSIVE_SLAVE = 0x4000 | 0x80000  # MS_REC | MS_SLAVE of <sys/mount.h>
_NO_SETUID_NO_DEVICES = 2 | 4  # MS_NOSUID | MS_NODEV
_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS of <sys/prctl.h>

SHARED_MEMORY = "/dev/shm"


@dataclass(frozen=True)
class Entry:
    """What a process does before it executes its program.

    Args:
        folder: Working folder of the program.
        account: Numbers of the account: user, group, and all groups. None keeps the account.
        groups: Folders of the control groups to enter.
        cores: Cores to which the process is bound; none means all.
        memory: Memory that a process can allocate, in bytes; None means no limit.
        processes: Number of processes and threads of the account; None means no limit.
        shared_memory: Size in bytes of a ``/dev/shm`` of its own, which ends with the last of its
            processes; 0 means that of the machine.

    """

    folder: str
    account: tuple[int, int, tuple[int, ...]] | None = None
    groups: tuple[str, ...] = ()
    cores: tuple[int, ...] = ()
    memory: int | None = None
    processes: int | None = None
    shared_memory: int = 0


def command(entry: Entry, program: Sequence[str]) -> list[str]:
    """Return the command that does what an entry says, and then executes a program.

    Nothing but the standard library is imported before the account is changed.
    """
    return [sys.executable, "-I", "-S", __file__, json.dumps(asdict(entry)), *map(str, program)]


def enter(entry: Entry) -> None:
    """Do what an entry says."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell ignores it for background commands
    for group in entry.groups:
        with open(f"{group}/cgroup.procs", "w") as members:
            members.write("0")
    _limit(entry)
    if entry.shared_memory:
        _own_shared_memory(entry.shared_memory)
    if entry.account is not None:
        _become(*entry.account)
    os.umask(0o077)
    os.chdir(entry.folder)


def _limit(entry: Entry) -> None:
    if entry.cores:
        os.sched_setaffinity(0, entry.cores)
    if entry.memory is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (entry.memory, entry.memory))
    if entry.processes is not None:
        resource.setrlimit(resource.RLIMIT_NPROC, (entry.processes, entry.processes))


def _own_shared_memory(size: int) -> None:
    """Replace shared memory, which would outlive the process, by its own.

    Where the system does not allow it, as in some containers, the machine's is kept.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS | _NEW_IPC) != 0:
        return
    if libc.mount(None, b"/", None, _RECURSIVE_SLAVE, None) == 0:
        options = f"size={size},mode=1777".encode()
        libc.mount(b"tmpfs", SHARED_MEMORY.encode(), b"tmpfs", _NO_SETUID_NO_DEVICES, options)


def _become(user: int, group: int, groups: Sequence[int]) -> None:
    os.setgroups(list(groups))
    os.setgid(group)
    os.setuid(user)
    # Otherwise programs such as crontab and at start processes outside of the control group.
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def main() -> None:
    """Enter, and execute the program."""
    said, *program = sys.argv[1:]
    enter(Entry(**json.loads(said)))
    try:
        os.execvp(program[0], program)
    except OSError as error:
        sys.exit(f"{program[0]} cannot be executed: {error.strerror}")


if __name__ == "__main__":
    main()
