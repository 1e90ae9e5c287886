"""Attempts at a unit of work: an error of the data becomes a failure, any other is raised."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from flavorframe.datasets import Partition
from flavorframe.engine import Engine, FileInfo
from flavorframe.engine.partial import Partial
from flavorframe.errors import AccessError, BranchError, FileError, FlavorframeError
from flavorframe.plan import Plan
from flavorframe.remote.access import is_remote
from flavorframe.result import Failure
from flavorframe.run.partitions import Segment

R = TypeVar("R")


@dataclass(frozen=True)
class Failed:
    """A failure, and the error that tells of it."""

    failure: Failure
    error: FlavorframeError


def prepare(
    engine: Engine, plan: Plan, segment: Segment, tree: str | None, retries: int = 0
) -> FileInfo | Failed:
    """Open the file of a segment."""
    failure = Failure(segment.file, tree, None, None, "", "")
    return attempt(lambda: engine.prepare(plan, segment.file, tree), failure, retries)


def evaluate(engine: Engine, plan: Plan, part: Partition, retries: int = 0) -> Partial | Failed:
    """Evaluate the plan on a partition."""
    failure = Failure(part.file, part.tree, part.start, part.stop, "", "")
    return attempt(lambda: engine.evaluate(plan, part), failure, retries)


def attempt(work: Callable[[], R], failure: Failure, retries: int = 0) -> R | Failed:
    """Return what the work gives, or the failure with the reason where the data is at fault.

    What may pass is tried again, so many times, after a second, two, three ....
    """
    for number in range(1, retries + 2):
        try:
            return work()
        except (FileError, BranchError) as error:
            reason = str(error).removeprefix(f"{failure.file}: ")
            kind = type(error).__name__
            failed = Failed(replace(failure, reason=reason, kind=kind, attempts=number), error)
        if not may_pass(failed):
            break
        if number <= retries:
            time.sleep(number)
    return failed


def may_pass(failed: Failed) -> bool:
    """Return whether another attempt may succeed: servers come back, what they refuse does not."""
    gone = isinstance(failed.error, AccessError)
    return isinstance(failed.error, FileError) and not gone and is_remote(failed.failure.file)
