"""How attempts at jobs stand, as a batch system tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flavorframe.errors import RunError


@dataclass(frozen=True)
class State:
    """How an attempt stands, why it failed or waits, and how often the system started it.

    An attempt that is "held" does not run, and stays in the queue until someone removes it.
    """

    stage: Literal["waiting", "running", "done", "failed", "held"]
    reason: str = ""
    starts: int = 1


class UnreachableError(RunError):
    """A batch system that does not answer, for now."""
