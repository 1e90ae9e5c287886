"""The end of a run: its files are moved to their places, and its outcome becomes a result."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from flavorframe._files.file_sets import FileSet
from flavorframe._run.outcome import Outcome
from flavorframe.errors import OutputError
from flavorframe.result import Result, WrittenSnapshot
from flavorframe.result._saving import remove_from, save_to, writing_to


def saving_to(folder: Path | None) -> AbstractContextManager[object]:
    """Lock the folder in the block, if the result is to be saved."""
    return nullcontext() if folder is None else writing_to(folder)


def result_of(outcome: Outcome, digest: str | None = None) -> Result:
    """Move the files of an outcome to their places, and return its result.

    ``digest`` is that of the user's plan, which does not know the paths of its snapshots. The
    result is saved if the outcome has a folder. Outputs that cannot be written are in
    ``result.unwritten``.
    """
    with outcome.written as files:
        result = Result.of(outcome.plan, outcome.dataset, outcome)
        if digest is not None:
            result = replace(result, provenance=replace(result.provenance, plan=digest))
        if outcome.folder is not None:
            result = _saved(result, outcome, outcome.folder)
        try:
            files.commit()
        except OutputError as error:
            return _without_files(result, outcome, str(error))
    return result


def _saved(result: Result, outcome: Outcome, folder: Path) -> Result:
    """Save the result beside its snapshots and return it, with the reason if that fails."""
    with FileSet() as more:
        try:
            save_to(result, folder, more, outcome.name)
        except OutputError as error:
            remove_from(folder, outcome.written)  # the files there are of an earlier run
            unwritten = {**result.unwritten, str(folder): str(error)}
            return replace(result, unwritten=unwritten, unfinished=outcome)
        outcome.written.join(more)
    return result


def _without_files(result: Result, outcome: Outcome, reason: str) -> Result:
    """Return the result where its files could not be moved to their places."""
    lost = [name for name, value in result.outputs.items() if isinstance(value, WrittenSnapshot)]
    outcome.unwritten |= dict.fromkeys(lost, reason)
    unwritten = {**result.unwritten, **outcome.unwritten}
    if outcome.folder is not None:
        unwritten[str(outcome.folder)] = reason
    outputs = {name: value for name, value in result.outputs.items() if name not in lost}
    return replace(result, outputs=outputs, unwritten=unwritten, unfinished=outcome)
