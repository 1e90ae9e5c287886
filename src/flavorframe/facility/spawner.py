"""Users' servers on one machine: as whom they run, with which limits, and where they log."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from jupyterhub.spawner import LocalProcessSpawner, set_user_setuid
from traitlets import Instance

from flavorframe.facility import homes, limits
from flavorframe.facility.accounts import Account, account, are_separate, short_name
from flavorframe.facility.settings import Settings


class FacilitySpawner(LocalProcessSpawner):  # type: ignore[misc]
    """Starts a user's server as the user, in a home with the tutorial, within limits."""

    facility = Instance(Settings, help="Settings of the facility.").tag(config=True)

    pid: int
    _account: Account
    _join: Callable[[], None]

    async def start(self) -> tuple[str, int]:
        """Start the server and return its address."""
        user = self.user.name
        self._account = await asyncio.to_thread(account, self.facility, user)
        await homes.furnish(self.facility, self._account)
        self._join = limits.enter(self._group, self.cpu_limit, self.mem_limit)
        with log_file(self.facility, user).open("ab") as log:
            self.popen_kwargs = {"stdout": log, "stderr": subprocess.STDOUT}
            return await super().start()  # type: ignore[no-any-return]

    async def stop(self, now: bool = False) -> None:
        """Stop the server and all that it started."""
        await super().stop(now)
        limits.leave(self._group)

    @property
    def _group(self) -> str:
        return f"{self.facility.accounts}{short_name(self.user.name)}"

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Return what a process does before it becomes the server."""
        join, home = self._join, self._account.home
        become = set_user_setuid(self._account.name) if are_separate() else lambda: os.chdir(home)

        def prepare() -> None:
            join()
            become()

        return prepare

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Return the environment with what belongs to the user's account."""
        place = {"HOME": str(self._account.home), "USER": self._account.name}
        return {**env, **place, "SHELL": "/bin/bash"}

    def get_state(self) -> dict[str, Any]:
        """Return what a later hub needs to know of the process."""
        state = super().get_state()
        if self.pid and psutil.pid_exists(self.pid):
            state["created"] = psutil.Process(self.pid).create_time()
        return state  # type: ignore[no-any-return]

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the process up again, unless its number belongs to another one by now."""
        super().load_state(state)
        try:
            same = psutil.Process(self.pid).create_time() == state.get("created")
        except (psutil.NoSuchProcess, ValueError):
            same = False
        if not same:
            self.pid = 0


def log_file(settings: Settings, user: str) -> Path:
    """Return where a user's server logs."""
    return settings.logs / f"server-{short_name(user)}.log"
