"""The job of a detached run, as it is sent to the process that conducts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flavorframe._planning.plan import Plan
from flavorframe._run.core.options import RunOptions
from flavorframe.datasets import Dataset


@dataclass(frozen=True)
class Job:
    """A plan, the data to run it on, and the options of the run."""

    plan: Plan
    data: Dataset | Mapping[str, Dataset]
    options: RunOptions
