"""The interface of stores, which keep the job, the state and the result of a detached run."""

from __future__ import annotations

from typing import Protocol


class RunStore(Protocol):
    """Bytes by name; ``put`` replaces them, ``get`` returns ``None`` for a name without bytes.

    Raises RunError for bytes that cannot be written, or were changed since.
    """

    def create(self, job: bytes) -> bool:
        """Create the run with its job; return whether the name was free."""

    def exists(self) -> bool:
        """Whether there is a run of this name."""

    def get(self, key: str) -> bytes | None:
        """Return the bytes under a name."""

    def put(self, key: str, content: bytes) -> None:
        """Put bytes under a name."""

    def make_room(self) -> None:
        """Free space for a last short record, where the store is full."""

    def is_alive(self) -> bool:
        """Whether the process or task that conducts the run, or that submits it, is still there."""

    def clear(self) -> None:
        """Remove everything."""
