"""A run of an analysis on several datasets, one after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from flavorframe._files.writing import make_folder
from flavorframe._planning.destinations import result_folder
from flavorframe._planning.plan import Plan
from flavorframe._run.core import interrupts
from flavorframe._run.core.accumulator import Accumulator
from flavorframe._run.core.ending import result_of
from flavorframe._run.core.executor import Executor
from flavorframe._run.core.options import RunOptions
from flavorframe._run.outcome import Outcome
from flavorframe._run.targets import executor_for
from flavorframe.datasets import Dataset
from flavorframe.engines import Engine
from flavorframe.result import Result, Results
from flavorframe.result._saving import writing_to

Planned = Mapping[str, tuple[Plan, Dataset]]
"""The plan for each dataset, by the name of its result."""


def run_in_turn(planned: Planned, digest: str, engine: Engine, options: RunOptions) -> Results:
    """Run each plan on its dataset; see `flavorframe.Analysis.run`.

    ``digest`` is that of the plan as the user wrote it: those for the datasets also say where their
    snapshots go. Where one run is stopped, the datasets after it are not read.
    """
    folders = {name: _folder(options, name) for name in planned}
    results = dict[str, Result]()
    with contextlib.closing(executor_for(options, engine)) as executor:
        for folder in filter(None, folders.values()):
            make_folder(folder)
        executor.announce(list(planned.values()), list(folders.items()))
        current: Executor = executor
        for name, (plan, data) in planned.items():
            results[name] = _run_one(plan, data, current, folders[name], name, digest)
            if results[name].stopped:
                current = Unread(engine, results[name].stopped)
    return Results(results)


class Unread(Executor):
    """The executor of datasets after a run that was stopped: it reads nothing, but notes it."""

    def __init__(self, engine: Engine, reason: str) -> None:
        self._engine = engine
        self._reason = reason

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Return the outcome of a run that was stopped before its first event."""
        options = RunOptions(progress=False)
        with Accumulator(plan, dataset, self._engine, options, earlier) as accumulator:
            accumulator.stop(self._reason)
        return accumulator.outcome(threads=1)


def _folder(options: RunOptions, name: str) -> Path | None:
    return None if options.output is None else result_folder(options.output, name)


def _run_one(
    plan: Plan, data: Dataset, executor: Executor, folder: Path | None, name: str, digest: str
) -> Result:
    with interrupts.noted():  # also between the run and the end that it comes to
        if folder is None:
            return result_of(executor.run(plan, data), digest)
        with writing_to(folder) as whole:
            outcome = executor.run(plan, data)
            outcome.folder, outcome.name = whole, name
            return result_of(outcome, digest)
