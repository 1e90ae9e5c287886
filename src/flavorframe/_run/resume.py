"""Completes a run: only the gaps of its result are read."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flavorframe._run.core import interrupts
from flavorframe._run.core.ending import result_of, saving_to
from flavorframe._run.core.options import RunOptions, refuse_unknown
from flavorframe._run.outcome import Outcome
from flavorframe._run.targets import executor_for, one_target
from flavorframe._shipping.user_code import unpacked
from flavorframe.engines import get_engine
from flavorframe.errors import AnalysisError, RunError
from flavorframe.outputs import Snapshot
from flavorframe.result import Result, Results, WrittenSnapshot
from flavorframe.result.unfinished import Unfinished
from flavorframe.result.written import moved


def resume_options(unknown: Mapping[str, object], **options: Any) -> RunOptions:
    """Return the options of `flavorframe.Result.resume`; raises AnalysisError for unknown ones."""
    refuse_unknown("resume", unknown)
    return RunOptions(**options)


def resume(result: Result, options: RunOptions) -> Result:
    """Return the complete result; see `flavorframe.Result.resume`."""
    if result.is_complete:
        return result
    earlier = _earlier(result)
    # Rows that could not be written are gone for all events, not only for the gaps.
    lost = any(name in earlier.unwritten for name, _ in earlier.plan.outputs)
    engine = get_engine(earlier.engine, options.cache)
    with (
        contextlib.closing(executor_for(options.fitting(earlier.plan), engine)) as executor,
        interrupts.deferred(),
        saving_to(earlier.folder),
    ):
        outcome = executor.run(earlier.plan, earlier.dataset, None if lost else earlier)
        outcome.folder, outcome.name = earlier.folder, earlier.name
        return result_of(outcome, result.provenance.plan)


def resume_each(results: Results, options: RunOptions) -> Results:
    """Return the complete results, with one cluster for all; see `flavorframe.Result.resume`."""
    if all(result.is_complete for result in results.values()):
        return results
    with one_target(options) as for_each:
        whole: dict[str, Result] = {}
        stopped = False
        for era, result in results.items():  # after a stop, the others stay as they are
            whole[era] = result if stopped else resume(result, for_each)
            stopped = stopped or (whole[era] is not result and bool(whole[era].stopped))
        return Results(whole)


def _earlier(result: Result) -> Outcome:
    kept = result.unfinished
    if kept is None:
        raise AnalysisError(
            "This result does not know what is missing, because it is a sum, or of a run that was "
            "still going on: resume the result of each dataset, as results['2017B'].resume() or "
            "results.resume(), and add them up."
        )
    if isinstance(kept, Unfinished):
        return _moved(_unpacked(kept), kept.path.parent.absolute())
    return kept


def _moved(outcome: Outcome, folder: Path) -> Outcome:
    """Return the outcome with its paths in the folder that it was loaded from."""
    old = outcome.folder
    if old is None or old == folder:
        return outcome
    outputs = tuple(
        (
            name,
            replace(o, path=moved(o.path, old, folder))
            if isinstance(o, Snapshot) and o.path
            else o,
        )
        for name, o in outcome.plan.outputs
    )
    rows = {
        name: stored.moved(old, folder) if isinstance(stored, WrittenSnapshot) else stored
        for name, stored in outcome.rows.items()
    }
    return replace(outcome, plan=replace(outcome.plan, outputs=outputs), rows=rows, folder=folder)


def _unpacked(kept: Unfinished) -> Outcome:
    content = kept.checked()
    try:
        outcome = unpacked(content)
    except Exception as error:  # whatever a pickle of other versions raises
        raise RunError(
            f"{kept.path} cannot be read, it may be of another version: {error}. Run the analysis "
            "anew."
        ) from error
    if not isinstance(outcome, Outcome) or outcome.stopped == "running":
        raise RunError(f"{kept.path} does not hold an unfinished run that has ended.")
    return outcome
