"""Evaluate a plan with ROOT's RDataFrame, on a range of events or on whole files at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from flavorframe.datasets import Partition
from flavorframe.engine import FileInfo
from flavorframe.engine.columnar.engine import ColumnarEngine
from flavorframe.engine.columnar.open_files import open_file
from flavorframe.engine.partial import Chunk, Partial
from flavorframe.engine.rdataframe.fillings import column_types
from flavorframe.engine.rdataframe.graph import (
    Booked,
    Collector,
    Taken,
    amounts,
    book,
    ordered_rows,
)
from flavorframe.engine.rdataframe.ledger import Array
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
from flavorframe.outputs import Snapshot
from flavorframe.plan import BoundPlan, Plan
from flavorframe.result import Cutflow, CutRow, Timing


class RDataFrameEngine:
    """Writes the plan as C++, and runs it as one graph of RDataFrame."""

    name = "rdataframe"

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Open the file, bind the plan to its branches and write it as C++; see `Engine.prepare`."""
        require_root()
        opened = open_file(file, tree)
        bound, _ = _programs(plan, opened.schema)
        layout = recognise(opened.schema).name
        edges = opened.common_edges(bound.columns)
        return FileInfo(file, opened.tree, layout, opened.events, edges)

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Evaluate the plan on a range of events of one file."""
        if not len(partition):
            return self.empty(plan)
        began = time.perf_counter()
        where = f"{partition.file}: events {partition.start} to {partition.stop}"
        with LOCK, reading(where), implicit_threads(1):
            schema = open_file(partition.file, partition.tree).schema
            frame = _frame_of_range(partition)
            gathered = run(plan, schema, frame, Taken(), [f"{partition.file}/{partition.tree}"])
        _check_events(where, gathered, len(partition))
        return _timed(gathered, [partition], began)

    def evaluate_files(self, plan: Plan, files: Sequence[FileInfo], threads: int) -> Partial:
        """Evaluate the plan on whole files that are alike, in one loop with so many threads."""
        began = time.perf_counter()
        parts = [Partition(f.file, f.tree, 0, f.events, i) for i, f in enumerate(files) if f.events]
        if not parts:
            return self.empty(plan)
        where = files[0].file if len(files) == 1 else f"{len(files)} files from {files[0].file}"
        names = [f"{part.file}/{part.tree}" for part in parts]
        with LOCK, reading(where), implicit_threads(threads):
            schema = open_file(parts[0].file, parts[0].tree).schema
            frame = root().RDataFrame(parts[0].tree, [part.file for part in parts])
            gathered = run(plan, schema, frame, Taken(), names)
        _check_events(where, gathered, sum(map(len, parts)))
        return _timed(gathered, parts, began)

    def empty(self, plan: Plan) -> Partial:
        """Return the result of no event."""
        return ColumnarEngine().empty(plan)


def alike(plan: Plan, file: FileInfo) -> object:
    """Return what files have in common that one graph can run over."""
    schema = open_file(file.file, file.tree).schema
    bound, program = _programs(plan, schema)
    types = tuple(schema.by_name[branch].typename for branch in bound.columns)
    return file.tree, program.namespace, types


def run(
    plan: Plan, schema: Schema, frame: Any, collector: Collector, names: Sequence[str]
) -> Partial:
    """Book the plan on a frame, run it, and return what it gathers."""
    bound, program = _programs(plan, schema)
    declare_program(program)
    with compiling("the graph"):
        booked = book(frame, program, collector)
    return _gathered(plan, bound, schema, booked, collector, names)


def declare_program(program: Program) -> None:
    """Make the functions of a program known to ROOT's interpreter."""
    for what, code in program.externals:
        if what.startswith("correction"):
            import correctionlib

            correctionlib.register_pyroot_binding()
        declare(what, code)
    declare("the analysis", program.code)


@lru_cache(maxsize=32)
def _programs(plan: Plan, schema: Schema) -> tuple[BoundPlan, Program]:
    bound = plan.bind(schema, recognise(schema))
    return bound, write_program(bound, schema)


def _frame_of_range(partition: Partition) -> Any:
    ROOT = root()
    spec = ROOT.RDF.Experimental.RDatasetSpec()
    spec.AddSample(ROOT.RDF.Experimental.RSample("file", partition.tree, partition.file))
    spec.WithGlobalRange((partition.start, partition.stop))
    return ROOT.RDataFrame(spec)


def _gathered(
    plan: Plan, bound: BoundPlan, schema: Schema, booked: Booked, collector: Collector,
    names: Sequence[str],
) -> Partial:  # fmt: skip
    partial = ColumnarEngine().empty(plan)
    rows: list[CutRow] = []
    links: dict[str, tuple[int, int, int]] = {}
    for ledger, histogram in booked.ledgers:
        found = amounts(histogram, ledger.size)
        if ledger.counts:
            rows.append(_row(partial.cutflow[len(rows)], ledger, found))
        for bins in ledger.bins:
            bins.fill(partial.histograms[bins.name], found)
        links |= ledger.links(found)
    tables: dict[str, tuple[Chunk, ...]] = {}
    for name, output in bound.outputs:
        if isinstance(output, Snapshot):
            types = column_types(bound, output, schema)
            tables[name] = (ordered_rows(*collector.words(booked.rows[name]), types, names),)
    return replace(partial, cutflow=Cutflow(tuple(rows)), tables=tables, links=links)


def _row(empty: CutRow, ledger: Ledger, found: Array) -> CutRow:
    events, candidates, *weights = found[:5].tolist()
    row = replace(empty, events=round(events), candidates=round(candidates))
    if empty.sumw_candidates is None:
        return row
    return replace(
        row,
        sumw_events=weights[0] if ledger.weighs_events else None,
        sumw_candidates=weights[1],
        sumw2_candidates=weights[2],
    )


def _check_events(where: str, gathered: Partial, expected: int) -> None:
    read = gathered.cutflow[0].events
    if read != expected:
        raise FileError(f"{where}: ROOT read {read} of {expected} events.")


def _timed(partial: Partial, parts: Sequence[Partition], began: float) -> Partial:
    events = sum(map(len, parts))
    timing = Timing(computing=time.perf_counter() - began, events=events)
    return replace(partial, timing=timing)
