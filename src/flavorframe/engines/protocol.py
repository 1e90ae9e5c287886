"""The protocols of engines, which the columnar engine and RDataFrame's fulfil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from flavorframe._data_quality.generated import Generated
from flavorframe._files.versions import Version
from flavorframe._planning.plan import Plan
from flavorframe._snapshots.columns import Columns
from flavorframe.datasets import Copies, Partition
from flavorframe.engines.partial import Partial
from flavorframe.layouts.base import GEV_AND_CM, Units
from flavorframe.skims import Kept

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class Skimmed:
    """What a skim copies of a file, which must be the same branches in all files of a run.

    Attributes:
        name: The output.
        kept: The branches of the events.
        trees: The other trees whole, each by its name.
        left_out: What it asks for and cannot copy, with the reason; empty if it copies all.
    """

    name: str
    kept: tuple[Kept, ...]
    trees: tuple[tuple[str, Columns], ...] = field(default=(), compare=False, repr=False)
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileInfo:
    """A file on which a plan can be evaluated, as `Engine.prepare` describes it.

    Attributes:
        file: The path or URL of the file.
        tree: The name of the tree in it.
        layout: The name of the layout that the file has.
        events: The number of events in the tree.
        edges: Numbers of events at which partitions should begin, because all needed branches
            begin a basket or cluster there.
        version: The version of the file before it was opened. What was read is of this version if
            the file still has it afterwards.
        meanings: The names that the plan uses, each with what it stands for in this file, such
            as "one number in each event". They must be the same in all files of a run.
        lacking: What the file lacks and has a default value for in the plan.
        skims: What each skim of the plan copies of the file.
        copies: All places of a file that is in several, and which of them was opened.
        elsewhere: Why it was opened at another place than the first; empty where it was not.
        units: The units of the file.
        generated: What was generated of its events, of simulation, where it tells that.
    """

    file: str
    tree: str
    layout: str
    events: int
    edges: tuple[int, ...] = ()
    version: Version | None = None
    meanings: tuple[tuple[str, str], ...] = ()
    lacking: tuple[str, ...] = ()
    skims: tuple[Skimmed, ...] = ()
    copies: Copies | None = None
    elsewhere: str = ""
    units: Units = GEV_AND_CM
    generated: Generated | None = None

    @property
    def place(self) -> str:
        """Where the file was opened."""
        return self.copies.opened if self.copies else self.file

    def partition(self, start: int, stop: int, index: int) -> Partition:
        """Return the events from ``start`` up to ``stop``; ``index`` orders the partitions."""
        return Partition(
            self.file, self.tree, start, stop, index, version=self.version, copies=self.copies
        )


class Engine(Protocol):
    """How a partition is evaluated. Engines are stateless but for caches, and can be pickled."""

    name: str

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Open a file and check that the plan fits it.

        Args:
            plan: What to evaluate.
            file: The path or URL of the file.
            tree: The name of the tree, or None for the only one in the file.

        Returns:
            What is to be known of the file before it is split into partitions.

        Raises:
            FileError: Where the file cannot be read.
            BranchError: Where the plan asks for a branch that the file does not have.
            ExpressionError: Where an expression of the plan has no meaning in the file.
        """

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Evaluate the plan on a range of events.

        Args:
            plan: What to evaluate.
            partition: The file and the range of its events.

        Returns:
            The cutflow, histograms and rows of these events.

        Raises:
            FileError: Where the events cannot be read.
        """

    def empty(self, plan: Plan) -> Partial:
        """Return the result of no event: the identity of the partials' sum."""


@runtime_checkable
class TellingEngine(Protocol):
    """An engine with a cache that may be unable to keep some results, and says so."""

    def tell_what_is_not_kept(self, plan: Plan) -> None:
        """Warn of the user's functions whose results the cache cannot keep."""


@runtime_checkable
class FilesEngine(Engine, Protocol):
    """An engine that can also evaluate a plan on several files in one loop."""

    def evaluate_files(
        self, plan: Plan, files: Sequence[FileInfo], threads: int, client: Client | None = None
    ) -> Partial:
        """Evaluate the plan on whole files.

        Args:
            plan: What to evaluate.
            files: Files for which `alike` gives the same.
            threads: The number of threads in this process.
            client: A Dask client, whose workers are used instead of threads of this process.

        Returns:
            The result of all files; its tables have one chunk for each file.

        Raises:
            FileError: Where not all of the files could be read.
        """

    def alike(self, plan: Plan, file: FileInfo) -> object:
        """Return what files must have in common to be evaluated together."""
