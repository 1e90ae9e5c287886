"""Evaluate a plan with ROOT's RDataFrame: a range of events, or whole files in one loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache
from typing import Any

from flavorframe.datasets import Partition
from flavorframe.engine import FileInfo
from flavorframe.engine.columnar.open_files import open_file
from flavorframe.engine.partial import Partial
from flavorframe.engine.rdataframe.distributed import distributed_frame, silent
from flavorframe.engine.rdataframe.graph import book
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
        opened = open_file(file, tree)
        _programs(plan, opened.schema)
        layout = recognise(opened.schema).name
        return FileInfo(file, opened.tree, layout, opened.events)

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Evaluate the plan on a range of events of one file."""
        if not len(partition):
            return nothing(plan)
        began = time.perf_counter()
        where = partition.file
        with LOCK, reading(where), implicit_threads(1):
            partial = _run(plan, [partition], _frame_of_range(partition), HereGraph())
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
            if client is None:
                partial = _run(plan, parts, frame, HereGraph())
            else:
                stack.enter_context(silent())
                _, program = _program_of(plan, parts[0])
                _book(program, frame, HereGraph())  # compilers complain here, and not on a worker
                frame = distributed_frame(client, tree, names, program)
                partial = _run(plan, parts, frame, ClusterGraph())
        return _checked(where, partial, parts, began)

    def alike(self, plan: Plan, file: FileInfo) -> object:
        """Return what files must have in common for `evaluate_files` to take them together."""
        schema = open_file(file.file, file.tree).schema
        bound, program = _programs(plan, schema)
        types = tuple(schema.by_name[branch].typename for branch in bound.columns)
        return file.tree, program.namespace, types

    def empty(self, plan: Plan) -> Partial:
        """Return the result of no event."""
        return nothing(plan)


def _run(plan: Plan, parts: Sequence[Partition], frame: Any, graph: Graph) -> Partial:
    """Book the plan on a frame, run it, and return what it gathers."""
    schema = open_file(parts[0].file, parts[0].tree).schema
    bound, program = _programs(plan, schema)
    booked = _book(program, frame, graph)
    names = [f"{part.file}/{part.tree}" for part in parts]
    return gathered(plan, bound, schema, booked, graph, names)


def _book(program: Program, frame: Any, graph: Graph) -> Any:
    _declare(program)
    with compiling("the graph"):
        return book(frame, program, graph)


def _declare(program: Program) -> None:
    """Make the functions of a program known to ROOT's interpreter."""
    for what, code in program.externals:
        if what.startswith("correction"):
            import correctionlib

            correctionlib.register_pyroot_binding()
        declare(what, code)
    declare("the analysis", program.code)


def _program_of(plan: Plan, part: Partition) -> tuple[BoundPlan, Program]:
    return _programs(plan, open_file(part.file, part.tree).schema)


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
