"""What every executor is, what it is asked for, and what it gives back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from flavorframe._planning.plan import Plan
from flavorframe._run.outcome import Outcome
from flavorframe.datasets import Dataset, PathLike
from flavorframe.errors import AnalysisError, did_you_mean

if TYPE_CHECKING:
    from typing import Literal, TypedDict

    from flavorframe.result.result import Result

    class HowToRun(TypedDict, total=False):
        """The keywords of `flavorframe.Analysis.run`."""

        on: Any
        engine: str
        cache: bool | str | os.PathLike[str] | None
        output: str | os.PathLike[str] | None
        threads: int | None
        partition_size: int | None
        progress: bool | Literal["live"] | None
        on_error: str
        retries: int
        on_update: Callable[[Result], object] | None
        should_stop: Callable[[], bool] | None
        performance_report: str | os.PathLike[str] | None
        files: PathLike | Sequence[PathLike]


PARTITION_SIZE = 170_000
"""Events in a partition: enough that Python has little to do, few enough to take little memory."""

POLICIES = ("report", "raise")


@dataclass(frozen=True)
class RunOptions:
    """How a run is to be done, by any executor; see `flavorframe.Analysis.run`."""

    threads: int | None = None
    partition_size: int | None = None
    progress: bool | Literal["live"] | None = None
    on_error: str = "report"
    retries: int = 2
    on_update: Callable[[Result], object] | None = None
    should_stop: Callable[[], bool] | None = None
    performance_report: str | os.PathLike[str] | None = None
    files: PathLike | Sequence[PathLike] = ()

    def __post_init__(self) -> None:
        """Raises AnalysisError for less than one thread or event, or an unknown policy."""
        _require("threads", self.threads, 1)
        _require("partition_size", self.partition_size, 1)
        _require("retries", self.retries, 0)
        if self.on_error not in POLICIES:
            raise AnalysisError(
                f"on_error={self.on_error!r} is not one of {', '.join(POLICIES)}."
                f"{did_you_mean(str(self.on_error), POLICIES)}"
            )

    @property
    def size(self) -> int:
        """The most events of a partition."""
        return self.partition_size or PARTITION_SIZE


def run_options(keywords: Mapping[str, Any]) -> RunOptions:
    """Return the options that keywords name; raises AnalysisError for one that there is not."""
    known = [item.name for item in fields(RunOptions)]
    for name in keywords:
        if name not in known:
            raise AnalysisError(
                f"There is no option {name!r} of a run.{did_you_mean(name, known)} There are "
                f"{', '.join(known)}."
            )
    return RunOptions(**keywords)


def _require(name: str, number: int | None, least: int) -> None:
    if number is not None and number < least:
        raise AnalysisError(f"{name}={number}: it must be at least {least}.")


class Executor(Protocol):
    """Where partitions are evaluated; see `flavorframe._run` for how to add one."""

    def announce(
        self, runs: Sequence[tuple[Plan, Dataset]], saved: Sequence[tuple[str, Path | None]]
    ) -> None:
        """Note the runs that are to come: batch systems take all of them at once.

        ``saved`` tells under which name, and in which folder if any, each result will be saved.
        """
        return

    def close(self) -> None:
        """Stop what was started for the runs, such as a cluster; no run comes after."""
        return

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Evaluate the plan on the dataset, or on the gaps of an earlier outcome only.

        Files and partitions that cannot be read become failures, and the rest goes on. An error of
        the plan itself (a function that fails, a correction out of range) is raised at once.

        Args:
            plan: What is to be computed.
            dataset: The files to read.
            earlier: The outcome of a run that is to be completed, of the same plan and dataset.

        Returns:
            What was read, with the gaps where it is not all. Files that the run has written take
            their places in `flavorframe._run.core.ending.result_of`.

        Raises:
            FlavorframeError: The first failure's, where not one file could be read.
        """
