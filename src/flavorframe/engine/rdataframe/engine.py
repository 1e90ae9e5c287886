"""Evaluate a plan with ROOT's RDataFrame: a range of events, or whole files in one loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from flavorframe.datasets import Partition
from flavorframe.engine import FileInfo
from flavorframe.engine.columnar.reader import require_whole
from flavorframe.engine.partial import Partial
from flavorframe.engine.rdataframe.distributed import distributed_frame, silent
from flavorframe.engine.rdataframe.files import describe, described
from flavorframe.engine.rdataframe.graph import Booked, book
from flavorframe.engine.rdataframe.graphs import ClusterGraph, Graph, HereGraph
from flavorframe.engine.rdataframe.outcome import gathered, nothing
from flavorframe.engine.rdataframe.program import Program, write_program
from flavorframe.engine.rdataframe.root import (
    LOCK,
    compiling,
    declare,
    implicit_threads,
    reading,
    require_root,
    root,
)
from flavorframe.errors import FileError
from flavorframe.layout import Schema, recognise
from flavorframe.plan import BoundPlan, Plan
from flavorframe.result import Timing


class RDataFrameEngine:
    """Writes the plan as C++, and runs it as one graph of RDataFrame."""

    name = "rdataframe"

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Open the file, bind the plan and write it as C++; see `Engine.prepare`."""
        require_root()
        opened = describe(file, tree)
        bound, _ = _programs(plan, opened.schema)
        require_whole(file, opened.schema, opened.events, opened.shorter, bound.columns)
        layout = recognise(opened.schema).name
        return FileInfo(file, opened.tree, layout, opened.events)

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Evaluate the plan on a range of events of one file."""
        if not len(partition):
            return nothing(plan)
        began = time.perf_counter()
        where = partition.file
        with LOCK, reading(where), implicit_threads(1):
            frame = _frame_of_range(partition)
            partial = _Run.over(plan, [partition], frame).result(frame, HereGraph(frame))
        return _checked(where, partial, [partition], began)

    def evaluate_files(
        self, plan: Plan, files: Sequence[FileInfo], threads: int, client: Any = None
    ) -> Partial:
        """Evaluate the plan on whole files that are alike, in one loop with so many threads.

        With a Dask ``client`` its workers do it, with a thread each. The partial has a chunk of
        each snapshot for each file. Raises FileError where not all could be read.
        """
        parts = [Partition(f.file, f.tree, 0, f.events, i) for i, f in enumerate(files)]
        began, tree, names = time.perf_counter(), parts[0].tree, [part.file for part in parts]
        where = names[0] if len(names) == 1 else f"{len(names)} files from {names[0]}"
        with ExitStack() as stack:
            for context in (LOCK, reading(where), implicit_threads(threads if not client else 1)):
                stack.enter_context(context)
            frame = root().RDataFrame(tree, names)
            run = _Run.over(plan, parts, frame)
            if client is None:
                partial = run.result(frame, HereGraph(frame))
            else:
                stack.enter_context(silent())
                run.book(frame, HereGraph(frame))  # compilers complain here, and not on a worker
                frame = distributed_frame(client, tree, names, run.program)
                partial = run.result(frame, ClusterGraph())
        return _checked(where, partial, parts, began)

    def alike(self, plan: Plan, file: FileInfo) -> object:
        """Return what files must have in common for `evaluate_files` to take them together."""
        schema = described(file.file, file.tree).schema
        bound, program = _programs(plan, schema)
        types = tuple(schema.by_name[branch].typename for branch in bound.columns)
        return file.tree, program.namespace, types

    def empty(self, plan: Plan) -> Partial:
        """Return the result of no event."""
        return nothing(plan)


@dataclass(frozen=True)
class _Run:
    """A plan and its program for files that are alike."""

    plan: Plan
    bound: BoundPlan
    program: Program
    parts: Sequence[Partition]

    @classmethod
    def over(cls, plan: Plan, parts: Sequence[Partition], frame: Any) -> _Run:
        """Return the run over partitions, from a frame of this process over their files."""
        bound, program = _programs(plan, _schema(parts))
        types = tuple(str(frame.GetColumnType(branch)) for branch in program.branches)
        return cls(plan, bound, replace(program, types=types), parts)

    def book(self, frame: Any, graph: Graph) -> Booked:
        """Book the program on a frame."""
        _declare(self.program)
        with compiling("the graph"):
            return book(frame, self.program, graph)

    def result(self, frame: Any, graph: Graph) -> Partial:
        """Book the program, run it, and return what it gathers."""
        booked = self.book(frame, graph)
        names = [f"{part.file}/{part.tree}" for part in self.parts]
        return gathered(self.plan, self.bound, _schema(self.parts), booked, graph, names)


def _declare(program: Program) -> None:
    """Make the functions of a program known to ROOT's interpreter."""
    for what, code in program.externals:
        if what.startswith("correction"):
            import correctionlib

            correctionlib.register_pyroot_binding()
        declare(what, code)
    declare("the analysis", program.code)


def _schema(parts: Sequence[Partition]) -> Schema:
    return described(parts[0].file, parts[0].tree).schema


@lru_cache(maxsize=32)
def _programs(plan: Plan, schema: Schema) -> tuple[BoundPlan, Program]:
    bound = plan.bind(schema, recognise(schema))
    return bound, write_program(bound, schema, plan.selection)


def _frame_of_range(partition: Partition) -> Any:
    experimental = root().RDF.Experimental
    spec = experimental.RDatasetSpec()
    spec.AddSample(experimental.RSample("file", partition.tree, partition.file))
    spec.WithGlobalRange((partition.start, partition.stop))
    return root().RDataFrame(spec)


def _checked(where: str, partial: Partial, parts: Sequence[Partition], began: float) -> Partial:
    """Return the partial with its timing; raises FileError where events are missing from it."""
    read, expected = partial.cutflow[0].events, sum(map(len, parts))
    if read != expected:
        raise FileError(f"{where}: ROOT read {read} of {expected} events.")
    timing = Timing(computing=time.perf_counter() - began, events=expected)
    return replace(partial, timing=timing)
