"""Going on with a run that is incomplete: only what is missing is read."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flavorframe.datasets import Dataset
from flavorframe.engine import Engine, get_engine
from flavorframe.errors import AnalysisError, RunError
from flavorframe.plan import Plan
from flavorframe.result.result import Result, Results
from flavorframe.run.executor import Executor, Outcome, RunOptions, run_options
from flavorframe.run.gathering import Gathering
from flavorframe.run.targets import executor_for, one_target
from flavorframe.travel import unpacked
from flavorframe.trust import read_own


class Unread(Executor):
    """The executor of what comes after a run that was stopped: it reads nothing, but notes it."""

    def __init__(self, engine: Engine, reason: str) -> None:
        self._engine = engine
        self._reason = reason

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Return the outcome of a run that was stopped before its first event."""
        options = RunOptions(progress=False)
        with Gathering(plan, dataset, self._engine, options, earlier) as gathering:
            gathering.stop(self._reason)
        return gathering.outcome(threads=1)


def resume(result: Result, on: Any, options: Mapping[str, Any]) -> Result:
    """Return the whole result; see `flavorframe.Result.resume`."""
    if result.is_complete:
        return result
    earlier = _earlier(result)
    rest = {name: value for name, value in options.items() if name != "cache"}
    engine = get_engine(earlier.engine, options.get("cache"))
    with contextlib.closing(
        executor_for(on, engine, run_options(rest), options.get("cache"))
    ) as executor:
        outcome = executor.run(earlier.plan, earlier.dataset, earlier)
    whole = Result.of(earlier.plan, earlier.dataset, outcome)
    return replace(
        whole, provenance=replace(whole.provenance, plan=result.provenance.plan)
    )  # with output=, snapshots have paths that the user's analysis does not know


def resume_each(results: Results, on: Any, options: Mapping[str, Any]) -> Results:
    """Return the whole results, with one cluster for all; see `flavorframe.Result.resume`."""
    if all(result.is_complete for result in results.values()):
        return results
    with one_target(on, options.get("threads")) as target:
        rest = options if target is on else {k: v for k, v in options.items() if k != "threads"}
        return Results({era: resume(result, target, rest) for era, result in results.items()})


def _earlier(result: Result) -> Outcome:
    kept = result.unfinished
    if kept is None:
        raise AnalysisError(
            "This result does not know what is missing, because it is a sum: resume the result of "
            "each dataset, as results['2017B'].resume() or results.resume(), and add them up."
        )
    if isinstance(kept, Path):
        return _load(kept)
    return kept


def _load(path: Path) -> Outcome:
    content = read_own(path)
    try:
        outcome = unpacked(content)
    except Exception as error:  # whatever a pickle of other versions raises
        raise RunError(
            f"{path} cannot be read, it may be of another version: {error}. Run the analysis anew."
        ) from error
    if not isinstance(outcome, Outcome):
        raise RunError(f"{path} does not hold an unfinished run.")
    return outcome
