"""Attempts at a unit of work: an error of the data becomes a failure, any other is raised."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from flavorframe._files.remote.access import is_remote
from flavorframe._files.versions import require, versions_of
from flavorframe._planning.plan import Plan
from flavorframe._run.core.partitions import Segment
from flavorframe.datasets import Partition
from flavorframe.engines import Engine, FileInfo
from flavorframe.engines.partial import Partial
from flavorframe.errors import (
    AccessError,
    AnalysisError,
    BranchError,
    ExpressionError,
    FileChangedError,
    FileError,
    FlavorframeError,
)
from flavorframe.result import Failure

R = TypeVar("R")

OF_THE_DATA = (FileError, BranchError)
MISFIT = (BranchError, ExpressionError, AnalysisError)
"""What binding an analysis to a file raises: for others it may be right."""


@dataclass(frozen=True)
class Failed:
    """A failure, and the error that tells of it."""

    failure: Failure
    error: FlavorframeError


def prepare(
    engine: Engine, plan: Plan, segment: Segment, tree: str | None, retries: int = 0
) -> FileInfo | Failed:
    """Open the file of a segment; that an analysis does not fit it is a failure of the file."""
    failure = Failure(segment.file, tree, None, None, "", "")
    return attempt(
        lambda: engine.prepare(plan, segment.file, tree), failure, retries, (FileError, *MISFIT)
    )


def evaluate(engine: Engine, plan: Plan, part: Partition, retries: int = 0) -> Partial | Failed:
    """Evaluate the plan on a partition."""
    failure = Failure(part.file, part.tree, part.start, part.stop, "", "")
    return attempt(
        lambda: read_unchanged(lambda: engine.evaluate(plan, part), [part]), failure, retries
    )


def read_unchanged(read: Callable[[], R], files: Sequence[Partition | FileInfo]) -> R:
    """Return what is read of files, which must afterwards be of the same versions still.

    Each server is asked once for each of its files, some at a time. Raises FileChangedError.
    """
    try:
        found = read()
    except FileError:  # what seems damaged may be another file
        _require([file for file in files if not is_remote(file.file)], or_gone=True)
        raise
    _require(files)
    return found


def _require(files: Sequence[Partition | FileInfo], *, or_gone: bool = False) -> None:
    wanted = {file.file: file.version for file in files if file.version is not None}
    for file, found in versions_of(list(wanted)).items():
        require(file, wanted[file], wanted[file] if or_gone and found is None else found)


def attempt(
    work: Callable[[], R],
    failure: Failure,
    retries: int = 0,
    of_the_data: tuple[type[FlavorframeError], ...] = OF_THE_DATA,
) -> R | Failed:
    """Return what the work gives, or the failure with the reason where the data is at fault.

    What may pass is tried again, so many times, after a second, two, three ....
    """
    for number in range(1, retries + 2):
        try:
            return work()
        except of_the_data as error:
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
    for_good = isinstance(failed.error, AccessError | FileChangedError)
    return isinstance(failed.error, FileError) and not for_good and is_remote(failed.failure.file)
