"""Engines: how a partition is evaluated. A new engine is one new file or folder here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flavorframe.datasets import Partition
from flavorframe.engine.partial import Partial
from flavorframe.errors import AnalysisError, did_you_mean
from flavorframe.plan import Plan

__all__ = ["Engine", "FileInfo", "Partial", "get_engine"]

ENGINES = ("columnar", "rdataframe")


@dataclass(frozen=True)
class FileInfo:
    """What an engine says of a file that it can evaluate a plan on.

    ``edges`` are numbers of events at which the file is cut well into partitions.
    """

    file: str
    tree: str
    layout: str
    events: int
    edges: tuple[int, ...] = ()


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


def get_engine(name: str) -> Engine:
    """Return the engine of that name; raises AnalysisError where there is none."""
    if name not in ENGINES:
        raise AnalysisError(
            f"There is no engine {name!r}.{did_you_mean(name, ENGINES)} It is one of "
            f"{', '.join(ENGINES)}."
        )
    if name == "rdataframe":
        from flavorframe.engine.rdataframe.engine import RDataFrameEngine

        return RDataFrameEngine()
    from flavorframe.engine.columnar.engine import ColumnarEngine

    return ColumnarEngine()
