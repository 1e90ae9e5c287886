"""Collects the failures of a run, or raises the first; a run that read nothing is an error."""

from __future__ import annotations

from flavorframe._run.core.attempts import MISMATCH_ERRORS, Failed
from flavorframe._run.outcome import Outcome
from flavorframe.datasets import Dataset
from flavorframe.errors import FlavorframeError, RunError
from flavorframe.result import Failure


class FailureLog:
    """Notes failures as they come; the first is raised where the user asks for that."""

    def __init__(self, dataset: Dataset, *, raises: bool) -> None:
        self._order = {file: number for number, file in enumerate(dataset.files)}
        self._raises = raises
        self._first_error: FlavorframeError | None = None
        self.items: list[Failure] = []

    def note(self, failed: Failed) -> None:
        """Note a failure, or raise its error."""
        if self._raises:
            raise failed.error
        self.items.append(failed.failure)
        self._first_error = self._first_error or failed.error

    def sort(self) -> None:
        """Put the failures into the order of the data."""
        self.items.sort(key=lambda failure: (self._order[failure.file], failure.start or 0))

    def require_some_read(self, outcome: Outcome) -> None:
        """Raise where every file failed: there is nothing to give back but the reason."""
        error, files = self._first_error, outcome.dataset.files
        if error is None or outcome.events or any(info.events == 0 for info in outcome.files):
            return
        if isinstance(error, MISMATCH_ERRORS) or len(files) == 1:
            raise error  # a misspelt name is most often the same in every file
        raise RunError(
            f"None of the {len(files)} files of dataset {outcome.dataset.name} could be read. "
            f"The first: {error}"
        )
