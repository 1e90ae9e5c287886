"""Engines: how a partition is evaluated. A new engine is one new file or folder here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from flavorframe._files.versions import Version
from flavorframe._planning.plan import Plan
from flavorframe.datasets import Partition
from flavorframe.engines.partial import Partial
from flavorframe.errors import AnalysisError, did_you_mean

__all__ = ["Engine", "FileInfo", "FilesEngine", "Partial", "TellingEngine", "get_engine"]

ENGINES = ("columnar", "rdataframe")


@dataclass(frozen=True)
class FileInfo:
    """What an engine says of a file that it can evaluate a plan on.

    ``edges`` are numbers of events at which the file is cut well into partitions. ``version`` is
    that of the file before it was opened: what was read is of it if the file has it still.
    ``meanings`` are the names of the plan with what they stand for, which is to be the same in all
    files of a run.
    """

    file: str
    tree: str
    layout: str
    events: int
    edges: tuple[int, ...] = ()
    version: Version | None = None
    meanings: tuple[tuple[str, str], ...] = ()


class Engine(Protocol):
    """How a partition is evaluated. Engines are stateless but for caches, and can be pickled."""

    name: str

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Open a file and check that the plan fits it.

        Raises FileError where it cannot be read, BranchError or ExpressionError where the plan
        asks for what it does not have.
        """

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Evaluate the plan on a range of events."""

    def empty(self, plan: Plan) -> Partial:
        """Return the result of no event: the identity of the partials' sum."""


@runtime_checkable
class TellingEngine(Protocol):
    """An engine with a cache, which does not keep everything."""

    def tell_what_is_not_kept(self, plan: Plan) -> None:
        """Warn of what the user's functions keep from being kept."""


@runtime_checkable
class FilesEngine(Engine, Protocol):
    """An engine that can also evaluate a plan on several files in one loop."""

    def evaluate_files(
        self, plan: Plan, files: Sequence[FileInfo], threads: int, client: Any = None
    ) -> Partial:
        """Evaluate the plan on whole files, with so many threads or a Dask ``client``.

        The partial's tables have a chunk for each file. Raises FileError where not all of them
        could be read.
        """

    def alike(self, plan: Plan, file: FileInfo) -> object:
        """Return what files must have in common to be evaluated together."""


def get_engine(name: str | Engine, cache: bool | str | os.PathLike[str] | None = False) -> Engine:
    """Return the engine of that name, with a cache; see `flavorframe.Analysis.run` for both.

    What is an engine already, of the user's own, is returned as it is.

    Raises AnalysisError where there is no such engine, and for a cache that is none.
    """
    if not isinstance(name, str):
        return name
    if name not in ENGINES:
        raise AnalysisError(
            f"There is no engine {name!r}.{did_you_mean(name, ENGINES)} It is one of "
            f"{', '.join(ENGINES)}."
        )
    if name == "rdataframe":
        from flavorframe.engines._rdataframe.engine import RDataFrameEngine
        from flavorframe.engines._rdataframe.runtime.root import require_root

        require_root()
        return RDataFrameEngine()
    from flavorframe._cache import caching
    from flavorframe.engines._columnar.engine import ColumnarEngine

    return ColumnarEngine(caching(cache))


def travelling(engine: Engine) -> str | Engine:
    """Return what another process gets the engine by: its name, or itself if it is a user's own."""
    return engine.name if engine.name in ENGINES else engine
