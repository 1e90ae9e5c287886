"""What batch systems have in common: what jobs ask for, and how they are submitted and seen."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flavorframe._run.batch.request import mebibytes, one_line, seconds
from flavorframe.errors import AnalysisError, RunError

if TYPE_CHECKING:
    from flavorframe._run.batch.folder import RunFolder

SECRETS = ("BEARER_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Variables that no batch system is to see: credentials travel as files."""


@dataclass(frozen=True)
class State:
    """Where an attempt stands, why it failed or waits, and how often the system started it.

    What is "held" will not run and stays in the queue until someone removes it.
    """

    stage: Literal["waiting", "running", "done", "failed", "held"]
    reason: str = ""
    starts: int = 1


@dataclass(frozen=True, kw_only=True, repr=False)
class Site(ABC):
    """A batch system and what each job asks of it; `Slurm` and `HTCondor` are sites.

    Args:
        cores: Cores of a job.
        memory: Memory of a job, with a unit: "2GB".
        time: Longest time that a job may take, hours:minutes:seconds: "02:00:00".
        jobs: How many jobs there are; by default one a file, up to 100.
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

    # What a batch system is asked

    @abstractmethod
    def require(self) -> None:
        """Raise RunError where the batch system cannot be reached from this machine."""

    @abstractmethod
    def submit(self, folder: RunFolder, numbers: Sequence[int]) -> None:
        """Submit the jobs of these numbers, and note in the folder what they are called."""

    @abstractmethod
    def states(self, folder: RunFolder, job_ids: Iterable[str]) -> dict[str, State]:
        """Return how attempts stand; those that the batch system knows no more are left out.

        Raises UnreachableError where it does not answer.
        """

    @abstractmethod
    def cancel(self, job_ids: Iterable[str]) -> None:
        """Take attempts out of the queue, and stop those that run."""

    @abstractmethod
    def cluster(self, workers: int | None = None, **options: Any) -> Any:
        """Return a Dask cluster of such jobs, for ``analysis.run(data, on=cluster)``."""


_COMMON = frozenset(item.name for item in fields(Site))


def _default(item: Field[Any]) -> Any:
    return item.default if item.default_factory is MISSING else item.default_factory()


class UnreachableError(RunError):
    """A batch system that does not answer, for now."""


def command(*words: str, folder: Path | None = None) -> str:
    """Run a command of the batch system and return its output; raises RunError where it fails."""
    environment = {name: x for name, x in os.environ.items() if name not in SECRETS}
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = re.sub(rf"^{words[0]}: (error: )?", "", done.stderr or done.stdout, flags=re.M)
        reason = "; ".join(said.split("\n")).strip("; ") or f"exit code {done.returncode}"
        raise RunError(f"{words[0]} refused: {reason}")
    return done.stdout


def require_commands(system: str, *names: str) -> None:
    """Raise RunError where a command is not on the path."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise RunError(
            f"{system} cannot be reached from this machine: {', '.join(missing)} is not on the "
            f"PATH. Submit from a login node of the site."
        )
