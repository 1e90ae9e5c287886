"""A run of a plan on datasets, one after the other."""

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
from flavorframe._run.plans import Planned, plans_for
from flavorframe._run.targets import executor_for
from flavorframe.datasets import Dataset
from flavorframe.engines import Engine, TellingEngine, get_engine
from flavorframe.result import Result, Results
from flavorframe.result._saving import writing_to


def run_datasets(
    plan: Plan, data: Dataset | Mapping[str, Dataset], options: RunOptions
) -> Result | Results:
    """Run a plan on a dataset, or on each of several; see `flavorframe.Analysis.run`."""
    engine = get_engine(options.engine, options.cache)
    planned = plans_for(plan, data, options.output)
    if isinstance(engine, TellingEngine):
        engine.tell_what_is_not_kept(plan)
    results = _run_each(planned, plan.digest, engine, options.fitting(plan))
    return results if isinstance(data, Mapping) else next(iter(results.values()))


def _run_each(planned: Planned, digest: str, engine: Engine, options: RunOptions) -> Results:
    """Run each plan on its dataset. After a run that is stopped, no other dataset is read.

    ``digest`` is that of the plan as the user wrote it; the plans also have paths of snapshots.
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
                current = SkippingExecutor(engine, results[name].stopped)
    return Results(results)


class SkippingExecutor(Executor):
    """The executor for datasets after a run that was stopped: all their events become gaps."""

    def __init__(self, engine: Engine, reason: str) -> None:
        self._engine = engine
        self._reason = reason

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Return the outcome of a run that has read nothing."""
        options = RunOptions(progress=False)
        with Accumulator(plan, dataset, self._engine, options, earlier) as accumulator:
            accumulator.stop(self._reason)
        return accumulator.outcome(threads=1)


def _folder(options: RunOptions, name: str) -> Path | None:
    return None if options.output is None else result_folder(options.output, name)


def _run_one(
    plan: Plan, data: Dataset, executor: Executor, folder: Path | None, name: str, digest: str
) -> Result:
    with interrupts.deferred():  # also between the run and the saving of its result
        if folder is None:
            return result_of(executor.run(plan, data), digest)
        with writing_to(folder) as whole:
            outcome = executor.run(plan, data)
            outcome.folder, outcome.name = whole, name
            return result_of(outcome, digest)
