"""What every executor is, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from flavorframe._files.file_sets import FileSet
from flavorframe._planning.plan import Plan
from flavorframe.datasets import Dataset
from flavorframe.engines import FileInfo
from flavorframe.engines.partial import Partial
from flavorframe.result import Failure, Table

if TYPE_CHECKING:
    from flavorframe.result import WrittenSnapshot


@dataclass(frozen=True)
class Gap:
    """What is missing of a file: the events from ``start`` up to ``stop``, or ``None`` to its end.

    ``rows`` tells, for each snapshot, before which row those of the gap belong.
    """

    file: str
    start: int
    stop: int | None
    rows: Mapping[str, int]


@dataclass
class Outcome:
    """What a run gathered, with all that is needed to go on where something is missing.

    ``partial`` is the sum of the partials without the rows of snapshots, which are in ``rows``.
    ``gaps`` tell what was not read, in the order of the data, whether it failed or the run ended
    before; ``stopped`` says why it did, where it did. ``unwritten`` has the outputs that could not
    be written, with the reason. ``written`` are the files of the others, which are not in their
    places yet: see `ending.result_of`. ``folder`` is where the result is saved, under a ``name``.
    """

    plan: Plan
    dataset: Dataset
    engine: str
    partial: Partial
    files: list[FileInfo] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    rows: dict[str, Table | WrittenSnapshot] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    stopped: str = ""
    unwritten: dict[str, str] = field(default_factory=dict)
    written: FileSet = field(default_factory=FileSet, repr=False, compare=False)
    folder: Path | None = None
    name: str = ""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.unwritten, self.written = {}, FileSet()  # which earlier versions did not have
        self.__dict__.update(state)


class Executor(Protocol):
    """Where partitions are evaluated."""

    def announce(
        self, runs: Sequence[tuple[Plan, Dataset]], saved: Sequence[tuple[str, Path | None]]
    ) -> None:
        """Note what is to be run, one after the other: batch systems take all of it at once.

        ``saved`` tells under which name, and in which folder if any, each result will be saved.
        """
        return

    def close(self) -> None:
        """Let go of what was started for the runs, such as a cluster; no run comes after."""
        return

    def run(self, plan: Plan, dataset: Dataset, earlier: Outcome | None = None) -> Outcome:
        """Evaluate the plan on the dataset, or on the gaps of an earlier outcome only.

        Files and partitions that cannot be read become failures, and the rest goes on. Raises the
        first failure's error where not one file could be used, and what the plan itself does
        wrong (a function that fails, a correction out of range) at once.
        """
