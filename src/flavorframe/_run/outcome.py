"""The outcome of a run: sums, rows, failures and gaps, from which it can be completed later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flavorframe._files.file_sets import FileSet
from flavorframe._planning.plan import Plan
from flavorframe.datasets import Dataset
from flavorframe.engines import FileInfo
from flavorframe.engines.partial import Partial
from flavorframe.result import Failure, Replica, Table, WrittenSnapshot, added_replicas


@dataclass(frozen=True)
class Gap:
    """Events of a file that were not read, from ``start`` up to ``stop`` (``None``: its end).

    ``rows`` has, for each snapshot, the number of the row before which those of the gap belong.
    """

    file: str
    start: int
    stop: int | None
    rows: Mapping[str, int]


@dataclass
class Outcome:
    """What executors return, complete or not.

    ``partial`` is the sum of the partials without the rows of snapshots, which are in ``rows``.
    ``gaps`` are the events that were not read, in the order of the data: they failed, or the run
    ended before, for the reason in ``stopped``. ``unwritten`` has the outputs that could not be
    written, with the reason. ``written`` has the files of the others, still hidden:
    `flavorframe._run.core.ending.result_of` moves them to their places. The result is saved in
    ``folder`` under a ``name``.
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
        self.unwritten, self.written = {}, FileSet()  # earlier versions did not have them
        self.__dict__.update(state)

    @property
    def events(self) -> int:
        """How many events have been read."""
        return self.partial.cutflow[0].events

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """The files that another place than their first has given, in the order of the data."""
        opened = (Replica(i.file, i.place, i.elsewhere) for i in self.files if i.place != i.file)
        found = added_replicas(self.partial.replicas, tuple(opened))
        order = {place: n for n, place in enumerate(self.dataset.places)} if found else {}
        return tuple(sorted(found, key=lambda each: (order[each.file], order[each.place])))
