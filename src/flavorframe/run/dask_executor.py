"""Run on a Dask cluster."""

from __future__ import annotations

from typing import Any

from flavorframe.datasets import Dataset
from flavorframe.engine import Engine
from flavorframe.errors import RunError
from flavorframe.plan import Plan
from flavorframe.run.executor import Outcome, RunOptions


class DaskExecutor:
    """Evaluates partitions on the workers of a Dask cluster."""

    def __init__(self, engine: Engine, options: RunOptions, on: Any) -> None:
        self._engine = engine
        self._options = options
        self._on = on

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Evaluate the plan; see `flavorframe.run.executor.Executor.run`."""
        raise RunError("to come")
