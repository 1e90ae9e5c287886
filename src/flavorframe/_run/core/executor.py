"""The interface of executors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from flavorframe._planning.plan import Plan
from flavorframe._run.outcome import Outcome
from flavorframe.datasets import Dataset


class Executor(Protocol):
    """Evaluates plans on datasets somewhere; `flavorframe._run` says how to add one."""

    def announce(
        self, runs: Sequence[tuple[Plan, Dataset]], saved: Sequence[tuple[str, Path | None]]
    ) -> None:
        """Learn of all runs before the first: a batch system submits their jobs together.

        ``saved`` has, for each run, the name of its result and the folder where that will be
        saved, if any.
        """
        return

    def close(self) -> None:
        """Stop what was started for the runs, such as a cluster; no run follows."""
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
            What was read, and the gaps. Files that the run has written are still hidden:
            `flavorframe._run.core.ending.result_of` moves them to their places.

        Raises:
            FlavorframeError: The first failure's, where not one file could be read.
        """
