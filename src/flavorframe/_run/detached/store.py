"""Where a detached run keeps its job, how it stands and its result: a folder, or a scheduler."""

from __future__ import annotations

from typing import Protocol


class RunStore(Protocol):
    """Pieces of bytes by name; ``put`` replaces, ``get`` gives ``None`` where there is none.

    What cannot be written, or is not as it was written, is a RunError.
    """

    def create(self, job: bytes) -> bool:
        """Create the run with its job; false where there is one of this name already."""

    def exists(self) -> bool:
        """Whether there is a run of this name."""

    def get(self, key: str) -> bytes | None:
        """Return what is there under a name."""

    def put(self, key: str, content: bytes) -> None:
        """Put something there under a name."""

    def make_room(self) -> None:
        """Make room for a last short record, where there is none."""

    def is_alive(self) -> bool:
        """Whether the process or task that conducts the run, or that submits it, is still there."""

    def clear(self) -> None:
        """Remove everything."""
