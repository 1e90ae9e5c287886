"""Users' servers on one machine: the account they run as, their limits, and their logs."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import Any, BinaryIO

import psutil
from jupyterhub.spawner import LocalProcessSpawner
from jupyterhub.utils import random_port
from traitlets import Instance

from flavorframe_facility.machine import homes, limits, quota
from flavorframe_facility.machine.accounts import Account, account, server_log
from flavorframe_facility.machine.enter import Entry, command
from flavorframe_facility.machine.processes import find, open_log, send
from flavorframe_facility.options import bad_request
from flavorframe_facility.settings import Settings


class MachineSpawner(LocalProcessSpawner):  # type: ignore[misc]
    """Starts a user's server as the user, in a home with the tutorial, within limits."""

    facility = Instance(Settings, help="Settings of the facility.").tag(config=True)

    pid: int
    port: int
    _created = 0.0
    _has_processes = False

    async def start(self) -> tuple[str, int]:
        """Start the server and return its address.

        Raises:
            HTTPError: The home is full, or all servers would take more than the machine has (400).

        """
        owner = await asyncio.to_thread(account, self.facility, self.user.name)
        await asyncio.to_thread(limits.end, self.facility, self._group)  # of an earlier server
        with bad_request("Not started"):
            await asyncio.to_thread(quota.require, self.facility, owner)
            start = limits.entry(self.facility, owner, self._group, self.cpu_limit, self.mem_limit)
        self._has_processes = True
        await homes.fill(self.facility, owner.home, start)
        self.port = self.port or random_port()
        self._execute(start, owner)
        return self.ip or "127.0.0.1", self.port

    def _execute(self, start: Entry, owner: Account) -> None:
        program = [*self.cmd, *self.get_args()]
        self.log.info("Starting %s for %s", " ".join(program), owner.name)
        with _log(self.facility, self.user.name, owner) as log:
            self.proc = subprocess.Popen(
                command(start, program),
                env=_environment(self.get_env(), owner),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self.proc.pid
        self._created = psutil.Process(self.pid).create_time()

    async def stop(self, now: bool = False) -> None:
        """Stop the server and all processes that it started."""
        await super().stop(now)
        await self._end_processes()

    async def poll(self) -> int | None:
        """Return the status of a server that has ended, whose processes end with it."""
        status: int | None = await super().poll()
        if status is not None and self._has_processes:
            await self._end_processes()
        return status

    async def _end_processes(self) -> None:
        owner = await asyncio.to_thread(account, self.facility, self.user.name)
        await asyncio.to_thread(limits.end, self.facility, self._group)
        await asyncio.to_thread(limits.end_strays, self.facility, owner)
        self._has_processes = False

    @property
    def _group(self) -> str:
        return limits.group_of_server(self.user.name)

    async def _signal(self, sig: int) -> bool:
        """Send a signal to the server, and to no other process that has its number by now."""
        return send(self.pid, self._created, sig)

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Return an environment as it is: the account is known when the server starts."""
        return env

    def get_state(self) -> dict[str, Any]:
        """Return what the hub must know of the process after it was restarted."""
        return {**super().get_state(), **({"created": self._created} if self.pid else {})}

    def load_state(self, state: dict[str, Any]) -> None:
        """Find the process again; it may have ended, and another may have its number now."""
        super().load_state(state)
        self._created = state.get("created", 0.0)
        self._has_processes = bool(self.pid)
        if find(self.pid, self._created) is None:
            self.pid = 0


def _environment(environment: dict[str, str], owner: Account) -> dict[str, str]:
    """Return the environment of a server, for the account of its user."""
    place = {"HOME": str(owner.home), "USER": owner.name, "LOGNAME": owner.name}
    return {**environment, **place, "SHELL": "/bin/bash"}


def _log(settings: Settings, user: str, owner: Account) -> BinaryIO:
    """Open the log of a user's server: the user's own file, in a folder that only root enters.

    The server could write into it without end; so it counts as the user's.
    """
    file = open_log(settings, server_log(user))
    os.fchown(file.fileno(), owner.uid, owner.gid)
    return file
