"""The store of a detached run in a Dask scheduler."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from flavorframe._run.dask.cluster import ask
from flavorframe.errors import RunError


class DaskStore:
    """The scheduler's metadata; the run is conducted by a task."""

    def __init__(self, name: str, client: Any) -> None:
        self.client = client
        self.key = f"flavorframe-run-{name}"

    @property
    def _taken(self) -> str:
        """The name under which a claim is published: only one process can publish it."""
        return f"{self.key}-claim"

    def create(self, job: bytes) -> bool:
        """Create the run with its job; return whether the name was free."""
        if self.exists():
            return False
        try:
            self.client.publish_dataset(time.time(), name=self._taken)
        except KeyError:  # another was first
            return False
        return True

    def exists(self) -> bool:
        """Whether there is a run of this name."""
        return self._taken in self.client.list_datasets()

    def get(self, key: str) -> bytes | None:
        """Return the bytes under a name."""
        where = {"keys": [self.key, key], "default": None}
        content: bytes | None = self._ask(self.client.scheduler.get_metadata, **where)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Put bytes under a name."""
        self._ask(self.client.scheduler.set_metadata, keys=[self.key, key], value=content)

    def _ask(self, question: Any, **more: Any) -> Any:
        try:
            return ask(self.client, question, **more)
        except (OSError, TimeoutError) as error:
            reason = str(error).rstrip(".") or "no answer"
            raise RunError(f"the scheduler that knows of {self.key} is lost: {reason}.") from error

    def make_room(self) -> None:
        """Do nothing: a scheduler always has space."""

    def is_alive(self) -> bool:
        """Whether the task exists and has not ended."""
        with contextlib.suppress(KeyError):
            future = self.client.get_dataset(self.key)
            return future.status not in ("finished", "error", "cancelled", "lost")
        with contextlib.suppress(KeyError):  # between the creation and the task
            return bool(time.time() - self.client.get_dataset(self._taken) < SUBMIT_SECONDS)
        return False

    def clear(self) -> None:
        """Remove everything."""
        for name in (self.key, self._taken):
            self.client.unpublish_dataset(name)
        self.client.set_metadata([self.key], {})


SUBMIT_SECONDS = 60
"""Longest time that submitting the task of a run takes [s]."""
