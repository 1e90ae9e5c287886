"""Attempts at a unit of work: an error of the data becomes a failure, any other is raised."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from flavorframe._files.remote.access import is_remote
from flavorframe._files.versions import require, versions_of
from flavorframe._planning.plan import Plan
from flavorframe._run.core.partitions import FileRange
from flavorframe._run.core.replicas import opened_somewhere, read_somewhere
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
    ReplicasError,
)
from flavorframe.result import Failure

R = TypeVar("R")

DATA_ERRORS = (FileError, BranchError)
MISMATCH_ERRORS = (BranchError, ExpressionError, AnalysisError)
"""Errors where an analysis does not fit a file; it may fit other files."""


@dataclass(frozen=True)
class Failed:
    """A failure for the result, and the error that caused it."""

    failure: Failure
    error: FlavorframeError


def prepare(
    engine: Engine, plan: Plan, file_range: FileRange, tree: str | None, retries: int = 0
) -> FileInfo | Failed:
    """Open the file of a range, at any of its places; where the analysis does not fit, it fails."""
    failure = Failure(file_range.file, tree, None, None, "", "")
    return attempt(
        lambda: opened_somewhere(engine, plan, file_range, tree),
        failure,
        retries,
        (FileError, *MISMATCH_ERRORS),
    )


def evaluate(engine: Engine, plan: Plan, part: Partition, retries: int = 0) -> Partial | Failed:
    """Evaluate the plan on a partition, at any of the places of its file."""
    failure = Failure(part.file, part.tree, part.start, part.stop, "", "")

    def read(there: Partition) -> Partial:
        return read_unchanged(lambda: engine.evaluate(plan, there), [there])

    return attempt(lambda: read_somewhere(engine, plan, part, read), failure, retries)


def read_unchanged(read: Callable[[], R], files: Sequence[Partition | FileInfo]) -> R:
    """Return the result of reading files; raises FileChangedError if one has changed meanwhile.

    Servers are asked for the versions of several files at a time, once for each file.
    """
    try:
        found = read()
    except FileError:  # a file that seems damaged may have been replaced
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
    data_errors: tuple[type[FlavorframeError], ...] = DATA_ERRORS,
) -> R | Failed:
    """Return the result of the work, or a failure with the reason for an error of the data.

    After a transient error the work is tried again, up to ``retries`` times, after 1, 2, 3 s ....
    """
    for number in range(1, retries + 2):
        try:
            return work()
        except data_errors as error:
            reason = str(error).removeprefix(f"{failure.file}: ")
            kind = type(error).__name__
            failed = Failed(replace(failure, reason=reason, kind=kind, attempts=number), error)
        if not is_transient(failed):
            break
        if number <= retries:
            time.sleep(number)
    return failed


def is_transient(failed: Failed) -> bool:
    """Return whether another attempt may succeed: a server may be back by then."""
    if isinstance(failed.error, ReplicasError):
        return any(_may_pass(error, place) for place, error in failed.error.errors.items())
    return _may_pass(failed.error, failed.failure.file)


def _may_pass(error: FlavorframeError, place: str) -> bool:
    permanent = isinstance(error, AccessError | FileChangedError)
    return isinstance(error, FileError) and not permanent and is_remote(place)
