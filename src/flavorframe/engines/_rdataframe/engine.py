"""Evaluate a plan with ROOT's RDataFrame: a range of events, or whole files in one loop."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from flavorframe._files.remote.access import as_user
from flavorframe._planning.binding import bind_plan
from flavorframe._planning.meaning import meanings
from flavorframe._planning.plan import BoundPlan, Plan
from flavorframe._rootio.root_file import require_whole
from flavorframe.datasets import Partition
from flavorframe.engines._rdataframe.codegen.external import make_ready
from flavorframe.engines._rdataframe.codegen.names import column_name, is_readable
from flavorframe.engines._rdataframe.codegen.program import Program, write_program
from flavorframe.engines._rdataframe.runtime.booking import Booked, LoopResult, book, run_loop
from flavorframe.engines._rdataframe.runtime.child import call, start
from flavorframe.engines._rdataframe.runtime.distributed import distributed_frame, silent
from flavorframe.engines._rdataframe.runtime.files import describe, described
from flavorframe.engines._rdataframe.runtime.graphs import ClusterGraph, Graph, LocalGraph
from flavorframe.engines._rdataframe.runtime.outcome import gathered, nothing
from flavorframe.engines._rdataframe.runtime.root import (
    LOCK,
    compiling,
    declare,
    implicit_threads,
    reading,
    require_root,
    root,
)
from flavorframe.engines.partial import Partial
from flavorframe.engines.protocol import FileInfo
from flavorframe.errors import BranchError, FileError
from flavorframe.layouts import BranchInfo, Schema, recognise
from flavorframe.result import Timing


class RDataFrameEngine:
    """The engine that writes the plan as C++, and runs it as one graph of RDataFrame."""

    name = "rdataframe"

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Open the file, bind the plan and write it as C++; see `Engine.prepare`."""
        require_root()
        start()
        opened = describe(file, tree)
        bound, _ = _programs(plan, opened.schema)
        require_whole(file, opened.schema, opened.events, opened.shorter, bound.columns)
        layout = recognise(opened.schema)
        meant = meanings(plan, layout, opened.schema)
        return FileInfo(file, opened.tree, layout.name, opened.events, (), opened.version, meant)

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Evaluate the plan on a range of events of one file."""
        if not len(partition):
            return nothing(plan)
        run = _Run.over(plan, [partition])
        loop = replace(run.loop, span=(partition.start, partition.stop))
        return run.partial(call(loop.where, _run_here, loop, 1))

    def evaluate_files(
        self, plan: Plan, files: Sequence[FileInfo], threads: int, client: Any = None
    ) -> Partial:
        """Evaluate the plan on whole files that are alike, in one loop with so many threads.

        Args:
            plan: The plan.
            files: Files for which `alike` returns the same.
            threads: How many threads the loop has in this machine's process.
            client: A Dask client, whose workers run the loop instead, with a thread each.

        Returns:
            The partial result; each snapshot has a chunk for each file.

        Raises:
            FileError: Where not all events could be read.
        """
        parts = [Partition(f.file, f.tree, 0, f.events, i) for i, f in enumerate(files)]
        run = _Run.over(plan, parts)
        if client is None:
            return run.partial(call(run.loop.where, _run_here, run.loop, threads))
        # Compiled here first, so that errors of the compiler do not come from a worker.
        loop = call(run.loop.where, _compiled, run.loop)
        return run.partial(_run_on_cluster(loop, client))

    def alike(self, plan: Plan, file: FileInfo) -> object:
        """Return what files must have in common for `evaluate_files` to take them together."""
        schema = described(file.file, file.tree).schema
        bound, program = _programs(plan, schema)
        types = tuple(schema.by_name[branch].typename for branch in bound.columns)
        return file.tree, program.namespace, program.prefix, types

    def empty(self, plan: Plan) -> Partial:
        """Return the result of no event."""
        return nothing(plan)


@dataclass(frozen=True)
class _Loop:
    """A program with its branches, and files that are alike: whole, or events of one (``span``)."""

    program: Program
    branches: tuple[BranchInfo, ...]
    tree: str
    files: tuple[str, ...]
    span: tuple[int, int] | None = None

    @property
    def where(self) -> str:
        """The files, for messages."""
        first, *more = self.files
        return f"{len(self.files)} files from {first}" if more else first

    def frame(self) -> Any:
        """Return a frame of this process."""
        if self.span is None:
            return root().RDataFrame(self.tree, list(self.files))
        experimental = root().RDF.Experimental
        spec = experimental.RDatasetSpec()
        spec.AddSample(experimental.RSample("file", self.tree, self.files[0]))
        spec.WithGlobalRange(self.span)
        return root().RDataFrame(spec)

    def typed(self, frame: Any) -> _Loop:
        """Return the loop with the names and types of its columns in a frame of this process."""
        known = frozenset(map(str, frame.GetColumnNames()))
        names = [_column_of(branch, known) for branch in self.branches]
        types = tuple(str(frame.GetColumnType(name)) for name in names)
        prefix = self.program.prefix
        called = [column_name(branch.name, i, prefix) for i, branch in enumerate(self.branches)]
        aliases = tuple(pair for pair in zip(called, names, strict=True) if pair[0] != pair[1])
        return replace(self, program=replace(self.program, types=types, aliases=aliases))

    def book(self, frame: Any, graph: Graph) -> Booked:
        """Book the program on a frame."""
        _declare(self.program)
        with compiling("the graph"):
            return book(frame, self.program, graph)


def _run_here(loop: _Loop, threads: int) -> LoopResult:
    """Run a loop in this process."""
    with reading(loop.where), as_user(loop.files), implicit_threads(threads):
        frame = loop.frame()
        typed = loop.typed(frame)
        graph = LocalGraph(frame, typed.program)
        return run_loop(typed.book(frame, graph), graph)


def _compiled(loop: _Loop) -> _Loop:
    """Compile a loop in this process, and return it with the types of its columns."""
    with reading(loop.where), as_user(loop.files), implicit_threads(1):
        frame = loop.frame()
        typed = loop.typed(frame)
        typed.book(frame, LocalGraph(frame, typed.program))
    return typed


def _run_on_cluster(loop: _Loop, client: Any) -> LoopResult:
    """Run a loop on the workers of a cluster."""
    with LOCK, reading(loop.where), implicit_threads(1), silent():
        frame = distributed_frame(client, loop.tree, loop.files, loop.program)
        graph = ClusterGraph(loop.program)
        return run_loop(loop.book(frame, graph), graph)


@dataclass(frozen=True)
class _Run:
    """A plan for files that are alike, its loop, and when it began."""

    plan: Plan
    bound: BoundPlan
    schema: Schema
    parts: Sequence[Partition]
    loop: _Loop
    began: float

    @classmethod
    def over(cls, plan: Plan, parts: Sequence[Partition]) -> _Run:
        """Return the run over partitions."""
        began, tree = time.perf_counter(), parts[0].tree
        schema = described(parts[0].file, tree).schema
        bound, program = _programs(plan, schema)
        branches = tuple(schema.by_name[branch] for branch in program.branches)
        loop = _Loop(program, branches, tree, tuple(part.file for part in parts))
        return cls(plan, bound, schema, parts, loop, began)

    def partial(self, found: LoopResult) -> Partial:
        """Return what the loop gave; raises FileError where events are missing from it."""
        names = [f"{part.file}/{part.tree}" for part in self.parts]
        partial = gathered(self.plan, self.bound, self.schema, found, names)
        read, expected = partial.cutflow[0].events, sum(map(len, self.parts))
        if read != expected:
            raise FileError(f"{self.loop.where}: ROOT read {read} of {expected} events.")
        timing = Timing(computing=time.perf_counter() - self.began, events=expected)
        return replace(partial, timing=timing)


def _declare(program: Program) -> None:
    """Make the functions of a program known to ROOT's interpreter."""
    for external in program.externals:
        make_ready(root(), external)
        declare(external.what, external.code)
    declare("the analysis", program.code)


def _column_of(branch: BranchInfo, known: Collection[str]) -> str:
    """Return what ROOT calls a branch, of the columns that it knows.

    Raises BranchError where it has no name for it, or one that its generated code cannot have.
    """
    parent, *_ = branch.path.split("/")
    for name in (branch.name, branch.path.replace("/", "."), f"{parent}.{branch.own}"):
        if name in known and is_readable(name):
            return name
    raise BranchError(
        f"branch {branch.name} has no name in ROOT's RDataFrame: read it with engine='columnar'."
    )


@lru_cache(maxsize=32)
def _programs(plan: Plan, schema: Schema) -> tuple[BoundPlan, Program]:
    bound = bind_plan(plan, schema, recognise(schema))
    return bound, write_program(bound, schema, plan.selection)
