"""What a detached run is to do, as it goes to the process that conducts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import os

    from flavorframe._planning.plan import Plan
    from flavorframe._run.core.options import RunOptions
    from flavorframe.datasets import Dataset
    from flavorframe.result.result import Result, Results


class Runnable(Protocol):
    """What can be run on datasets: a `flavorframe.Analysis`."""

    def with_absolute_paths(self) -> Runnable:
        """Return it with the same files as seen from any folder."""

    def planned(
        self, data: Dataset | Mapping[str, Dataset], output: str | os.PathLike[str] | None = None
    ) -> dict[str, tuple[Plan, Dataset]]:
        """Return the plan for each dataset; raises AnalysisError for one that cannot be run."""

    def run_with(
        self, data: Dataset | Mapping[str, Dataset], options: RunOptions
    ) -> Result | Results:
        """Run on a dataset, or on each of several."""


@dataclass(frozen=True)
class Job:
    """What is to be run, and how."""

    analysis: Runnable
    data: Dataset | Mapping[str, Dataset]
    options: RunOptions
