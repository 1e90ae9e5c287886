"""Evaluate a plan with ROOT's RDataFrame: a range of events, or whole files in one loop."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from tempfile import TemporaryDirectory
from typing import Any

from flavorframe._files.remote.access import as_user
from flavorframe._planning.binding import bind_plan
from flavorframe._planning.chains import single_plans
from flavorframe._planning.meaning import lacking, meanings
from flavorframe._planning.plan import BoundPlan, Plan
from flavorframe._rootio.open_files import open_file
from flavorframe._rootio.root_file import require_whole
from flavorframe.datasets import Partition
from flavorframe.engines._event_files import as_events, friend_counts_of
from flavorframe.engines._filling import merged
from flavorframe.engines._generated import generated_in
from flavorframe.engines._rdataframe.codegen.external import make_ready
from flavorframe.engines._rdataframe.codegen.names import column_name
from flavorframe.engines._rdataframe.codegen.program import Program, write_program
from flavorframe.engines._rdataframe.runtime.booking import Booked, LoopResult, book, run_loop
from flavorframe.engines._rdataframe.runtime.candidate_rows import Grouping, write_events
from flavorframe.engines._rdataframe.runtime.child import call, start
from flavorframe.engines._rdataframe.runtime.columns import RootColumns
from flavorframe.engines._rdataframe.runtime.distributed import distributed_frame, silent
from flavorframe.engines._rdataframe.runtime.files import describe, described, look
from flavorframe.engines._rdataframe.runtime.friends import write_joined
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
from flavorframe.engines._rdataframe.runtime.written_files import TREE, as_written
from flavorframe.engines._tallies import branches_of_tallies, no_tallies, tallied_of
from flavorframe.engines.partial import Partial, added_counts
from flavorframe.engines.protocol import FileInfo
from flavorframe.errors import AnalysisError, FileError
from flavorframe.layouts import BranchInfo, Layout, Schema
from flavorframe.result import Timing


class RDataFrameEngine:
    """The engine that writes the plan as C++, and runs it as one graph of RDataFrame."""

    name = "rdataframe"

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Open the file, bind the plan and write it as C++; see `Engine.prepare`."""
        require_root()
        _refuse_skims(plan)
        start()
        opened = describe(file, tree, plan.layout, plan.friends)
        layout, where = opened.layout, plan.weights_in
        read = list(branches_of_tallies(plan, opened.schema, layout))
        for single in single_plans(plan):
            bound, _ = _programs(single.plan, opened.schema, layout)
            read += bound.columns
        require_whole(file, opened.schema, opened.events, opened.shorter, read)
        return FileInfo(
            file, opened.tree, layout.name, opened.events, (), opened.version,
            meanings(plan, layout, opened.schema), lacking(plan, layout, opened.schema),
            units=layout.units,
            generated=look(file, generated_in, file, tree, where) if where else None,
        )  # fmt: skip

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Evaluate the plan on a range of events of one file."""
        if not len(partition):
            return nothing(plan)
        singles = single_plans(plan)
        found = merged(plan, ((each, self._evaluate(each.plan, partition)) for each in singles))
        return _with_friends(found, plan, [partition])

    def _evaluate(self, plan: Plan, partition: Partition) -> Partial:
        run = _Run.over(plan, [partition])
        with run.on_events() as whole:
            loop = replace(whole.loop, span=(partition.start, partition.stop))
            return whole.partial(call(run.where, _run_here, loop, 1))

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
        found = (
            (single, self._evaluate_whole(single.plan, parts, threads, client))
            for single in single_plans(plan)
        )
        return _with_friends(merged(plan, found), plan, parts)

    def _evaluate_whole(
        self, plan: Plan, parts: Sequence[Partition], threads: int, client: Any
    ) -> Partial:
        run = _Run.over(plan, parts)
        if client is None:
            with run.on_events() as whole:
                return whole.partial(call(run.where, _run_here, whole.loop, threads))
        if run.is_written_anew:
            raise AnalysisError(
                "engine='rdataframe' reads neither files with one row a candidate nor friends on a "
                "Dask cluster: use engine='columnar', or run on this machine."
            )
        # Compiled here first, so that errors of the compiler do not come from a worker.
        loop = call(run.where, _compiled, run.loop)
        return run.partial(_run_on_cluster(loop, client))

    def alike(self, plan: Plan, file: FileInfo) -> object:
        """Return what files must have in common for `evaluate_files` to take them together."""
        opened = described(file.file, file.tree, plan.layout, plan.friends)
        schema, found = opened.schema, []
        for single in single_plans(plan):
            bound, program = _programs(single.plan, schema, opened.layout)
            types = tuple(schema.by_name[branch].typename for branch in bound.columns)
            found.append((program.namespace, program.prefix, types))
        return file.tree, *found

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
        return _where(self.files)

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
        known = RootColumns(frame, self.program.prefix)
        columns = [known.of(branch) for branch in self.branches]
        prefix = self.program.prefix
        called = [column_name(branch.name, i, prefix) for i, branch in enumerate(self.branches)]
        pairs = list(zip(called, columns, strict=True))
        program = replace(
            self.program,
            types=tuple(column.type for column in columns),
            aliases=tuple((n, c.text) for n, c in pairs if c.is_name and n != c.text),
            defined=tuple((n, c.text) for n, c in pairs if not c.is_name),
        )
        return replace(self, program=program)

    def book(self, frame: Any, graph: Graph) -> Booked:
        """Book the program on a frame."""
        _declare(self.program)
        with compiling("the graph"):
            return book(frame, self.program, graph)


def _where(files: Sequence[str]) -> str:
    first, *more = files
    return f"{len(files)} files from {first}" if more else first


def _run_here(loop: _Loop, threads: int) -> LoopResult:
    """Run a loop in this process."""
    with reading(loop.where), as_user(loop.files), implicit_threads(threads):
        frame = loop.frame()
        typed = loop.typed(frame)
        graph = LocalGraph(frame, typed.program)
        return run_loop(typed.book(frame, graph), graph)


def _write_grouped(loop: _Loop, grouping: Grouping, targets: Sequence[str]) -> None:
    """Write the events of a loop's files, which have one row a candidate, in this process."""
    with reading(loop.where), as_user(loop.files):
        write_events(grouping, loop.tree, list(zip(loop.files, targets, strict=True)))


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
    """A plan for files that are alike, its loop, and when it began.

    ``grouping`` says how rows are events, where the files have one row a candidate.
    """

    plan: Plan
    bound: BoundPlan
    schema: Schema
    parts: Sequence[Partition]
    loop: _Loop
    began: float
    grouping: Grouping | None = None

    @classmethod
    def over(cls, plan: Plan, parts: Sequence[Partition]) -> _Run:
        """Return the run over partitions."""
        began, tree = time.perf_counter(), parts[0].tree
        opened = described(parts[0].file, tree, plan.layout, plan.friends)
        schema, rows = opened.schema, opened.layout.rows
        bound, program = _programs(plan, schema, opened.layout)
        branches = tuple(schema.by_name[branch] for branch in program.branches)
        loop = _Loop(program, branches, tree, tuple(part.file for part in parts))
        grouping = None
        if rows is not None:
            grouping = Grouping(tuple(schema.by_name[branch] for branch in rows.key), branches)
        return cls(plan, bound, schema, parts, loop, began, grouping)

    @property
    def where(self) -> str:
        """The user's files, for messages, whichever ROOT reads."""
        return _where([part.file for part in self.parts])

    @property
    def is_written_anew(self) -> bool:
        """Whether ROOT reads other files, with what rows or friends make of these."""
        return self.grouping is not None or bool(self.plan.friends)

    @contextmanager
    def on_events(self) -> Iterator[_Run]:
        """Have files with an entry for each event, and all that the loop needs, for the block."""
        if not self.is_written_anew:
            yield self
            return
        with TemporaryDirectory(prefix="flavorframe-") as folder:
            files = tuple(f"{folder}/{number}.root" for number in range(len(self.parts)))
            if self.plan.friends:
                self._write_joined(files)
            else:
                call(self.where, _write_grouped, self.loop, self.grouping, files)
            branches = as_written(self.loop.branches)
            yield replace(self, loop=replace(self.loop, branches=branches, tree=TREE, files=files))

    def _write_joined(self, targets: Sequence[str]) -> None:
        for part, target in zip(self.parts, targets, strict=True):
            opened = open_file(part.file, part.tree, part.version)
            events, _ = as_events(opened, self.plan.layout, self.plan.friends)
            write_joined(events, self.loop.branches, target)

    def partial(self, found: LoopResult) -> Partial:
        """Return what the loop gave; raises FileError where events are missing from it."""
        names = [f"{file}/{self.loop.tree}" for file in self.loop.files]
        partial = gathered(self.plan, self.bound, self.schema, found, names)
        read, expected = partial.cutflow[0].events, sum(map(len, self.parts))
        if read != expected:
            raise FileError(f"{self.where}: ROOT read {read} of {expected} events.")
        timing = Timing(computing=time.perf_counter() - self.began, events=expected)
        tallies = no_tallies(self.plan)
        for part in self.parts if tallies else ():
            more = look(part.file, tallied_of, self.plan, part)
            tallies = {name: tally + more[name] for name, tally in tallies.items()}
        return replace(partial, timing=timing, tallies=tallies)


def _with_friends(found: Partial, plan: Plan, parts: Sequence[Partition]) -> Partial:
    """Return a partial with the counts of what events found in friends."""
    for part in parts if plan.friends else ():
        more = look(part.file, friend_counts_of, plan, part)
        found = replace(found, links=added_counts(found.links, more))
    return found


def _refuse_skims(plan: Plan) -> None:
    for name, _ in plan.skims:
        raise AnalysisError(
            f"output {name!r}: engine='rdataframe' writes no skims; use engine='columnar'."
        )


def _declare(program: Program) -> None:
    """Make the functions of a program known to ROOT's interpreter."""
    for external in program.externals:
        make_ready(root(), external)
        declare(external.what, external.code)
    declare("the analysis", program.code)


@lru_cache(maxsize=32)
def _programs(plan: Plan, schema: Schema, layout: Layout) -> tuple[BoundPlan, Program]:
    bound = bind_plan(plan, schema, layout)
    return bound, write_program(bound, schema, plan.selection)
