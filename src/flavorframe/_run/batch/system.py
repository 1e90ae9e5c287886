"""What batch systems have in common: what each job asks for, and how a run becomes jobs."""

from __future__ import annotations

import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flavorframe._run.batch.request import mebibytes, one_line, seconds
from flavorframe._run.core.options import refuse_unknown
from flavorframe.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Never

    from flavorframe._run.batch.folder import RunFolder
    from flavorframe._run.batch.states import State
    from flavorframe._run.core.executor import Executor
    from flavorframe._run.core.options import RunOptions
    from flavorframe.datasets import PathLike
    from flavorframe.engines import Engine
    from flavorframe.result import Result


@dataclass(frozen=True, kw_only=True, repr=False)
class BatchSystem(ABC):
    """A batch system, and what each job asks for; `flavorframe._run.batch` says how to add one.

    Args:
        cores: Cores of a job.
        memory: Memory of a job, with a unit: "2GB".
        time: Longest time that a job may take, hours:minutes:seconds: "02:00:00".
        jobs: Number of jobs; by default one a file, up to 100.
        setup: A line of shell, or several, that a job runs first.
        python: The Python that a job runs; by default the one that runs now.
        folder: Folder below which each run has one of its own; by default ``flavorframe-runs``.
        options: What goes into the submit description as it is.

    Raises:
        AnalysisError: A size, a time or a number cannot be read.
    """

    cores: int = 1
    memory: str = "2GB"
    time: str | None = None
    jobs: int | None = None
    setup: str | Sequence[str] = ()
    python: str = sys.executable
    folder: str | Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("cores", "jobs"):
            number = getattr(self, name)
            if number is not None and (not isinstance(number, int) or number < 1):
                raise AnalysisError(f"{name}={number!r}: it must be a number, 1 or more.")
        mebibytes("memory", self.memory)
        if self.time is not None:
            seconds(self.time)
        for name, text in self.options.items():
            one_line(f"options[{name!r}]", f"{name}{text}")
        for item in fields(self):
            if isinstance(getattr(self, item.name), str) and item.name != "setup":
                one_line(item.name, getattr(self, item.name))

    def __repr__(self) -> str:
        asked = (
            f"{item.name}={getattr(self, item.name)!r}"
            for item in sorted(fields(self), key=lambda item: item.name in _COMMON)
            if getattr(self, item.name) != _default(item)
        )
        return f"{type(self).__name__}({', '.join(asked)})"

    @property
    def setup_lines(self) -> list[str]:
        """The lines of shell that a job runs first."""
        return [self.setup] if isinstance(self.setup, str) else list(self.setup)

    def python_command(self, *arguments: str) -> str:
        """Return the line of shell that runs a job; ``arguments`` are shell text themselves."""
        words = [shlex.quote(self.python), "-m", "flavorframe._run.batch.job", *arguments]
        return " ".join(["exec", *words])

    # The methods of a class for one batch system

    @abstractmethod
    def require(self) -> None:
        """Raise RunError where the batch system cannot be reached from this machine."""

    @abstractmethod
    def submit(self, folder: RunFolder, numbers: Sequence[int]) -> None:
        """Submit the jobs of these numbers, and note their identifiers in the folder."""

    @abstractmethod
    def states(self, folder: RunFolder, job_ids: Iterable[str]) -> dict[str, State]:
        """Return how attempts stand; those that the batch system has forgotten are left out.

        Raises UnreachableError where it does not answer.
        """

    @abstractmethod
    def cancel(self, job_ids: Iterable[str]) -> None:
        """Cancel attempts, those that wait and those that run."""

    @abstractmethod
    def cluster(self, workers: int | None = None, **options: Any) -> Any:
        """Return a Dask cluster of such jobs, for ``analysis.run(data, on=cluster)``."""

    # Runs

    def executor(self, engine: Engine, options: RunOptions) -> Executor:
        """Return the executor that sends runs to this batch system."""
        from flavorframe._run.batch.executor import BatchExecutor

        return BatchExecutor(self, engine, options)

    @staticmethod
    def gather(
        folder: PathLike,
        *,
        progress: bool | Literal["live"] | None = None,
        on_error: Literal["report", "raise"] | None = None,
        retries: int | None = None,
        on_update: Callable[[Result], object] | None = None,
        **unknown: Never,
    ) -> Result:
        """Return the result of a run that was sent earlier, from any process, by its folder.

        It waits for jobs that are not done, and submits again what failed. Options that are left
        out (``None``) are as when the run was sent.

        Args:
            folder: The folder of the run.
            progress: Show a progress bar; by default where a person is looking on. In a notebook
                ``"live"`` shows the histograms as well.
            on_error: ``"report"`` notes files that cannot be read in ``result.failures``;
                ``"raise"`` raises the first error.
            retries: How many times more to try what failed for a reason that may pass.
            on_update: Function that is called about once a second with the result so far.
            **unknown: There are no others; a misspelt name is an error.

        Returns:
            The result.

        Raises:
            FileError: The folder is none of a batch run.
            AnalysisError: An option does not exist, or was settled when the run was sent.

        Example:
            >>> ff.Slurm.gather("flavorframe-runs/2017B-20260301-101500")  # doctest: +SKIP
        """
        from flavorframe._run.batch.gather import gather

        refuse_unknown("gather", unknown)
        given = {
            "progress": progress,
            "on_error": on_error,
            "retries": retries,
            "on_update": on_update,
        }
        return gather(Path(folder), {k: v for k, v in given.items() if v is not None})


_COMMON = frozenset(item.name for item in fields(BatchSystem))


def _default(item: Field[Any]) -> Any:
    return item.default if item.default_factory is MISSING else item.default_factory()
