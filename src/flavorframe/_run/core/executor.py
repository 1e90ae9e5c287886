"""What every executor is, and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from flavorframe._planning.plan import Plan
from flavorframe._run.outcome import Outcome
from flavorframe.datasets import Dataset


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
