"""Users' servers on one machine: the account they run as, their limits, and their logs."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from typing import Any

import psutil
from jupyterhub.spawner import LocalProcessSpawner, set_user_setuid
from traitlets import Instance

from flavorframe_facility.isolation import users_have_accounts
from flavorframe_facility.machine import homes, limits
from flavorframe_facility.machine.accounts import Account, account, server_log, short_name
from flavorframe_facility.machine.processes import log_file
from flavorframe_facility.settings import Settings


class MachineSpawner(LocalProcessSpawner):  # type: ignore[misc]
    """Starts a user's server as the user, in a home with the tutorial, within limits."""

    facility = Instance(Settings, help="Settings of the facility.").tag(config=True)

    pid: int
    _account: Account
    _join: Callable[[], None]

    async def start(self) -> tuple[str, int]:
        """Start the server and return its address."""
        user = self.user.name
        self._account = await asyncio.to_thread(account, self.facility, user)
        await homes.fill(self.facility, self._account)
        self._join = limits.create_group(self._group, self.cpu_limit, self.mem_limit)
        with log_file(self.facility, server_log(user)).open("ab") as log:
            self.popen_kwargs = {"stdout": log, "stderr": subprocess.STDOUT}
            return await super().start()  # type: ignore[no-any-return]

    async def stop(self, now: bool = False) -> None:
        """Stop the server and all processes that it started."""
        await super().stop(now)
        limits.remove_group(self._group)

    @property
    def _group(self) -> str:
        return f"{self.facility.accounts}{short_name(self.user.name)}"

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Return what a new process does before it executes the server."""
        join, home = self._join, self._account.home
        become = (
            set_user_setuid(self._account.name) if users_have_accounts() else lambda: os.chdir(home)
        )

        def prepare() -> None:
            join()
            become()

        return prepare

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Return the environment of a server, for the user's account."""
        place = {"HOME": str(self._account.home), "USER": self._account.name}
        return {**env, **place, "SHELL": "/bin/bash"}

    def get_state(self) -> dict[str, Any]:
        """Return what the hub must know of the process after it was restarted."""
        state = super().get_state()
        if self.pid and psutil.pid_exists(self.pid):
            state["created"] = psutil.Process(self.pid).create_time()
        return state  # type: ignore[no-any-return]

    def load_state(self, state: dict[str, Any]) -> None:
        """Find the process again, unless another process has its number now."""
        super().load_state(state)
        try:
            same = psutil.Process(self.pid).create_time() == state.get("created")
        except (psutil.NoSuchProcess, ValueError):
            same = False
        if not same:
            self.pid = 0
