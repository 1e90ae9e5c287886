"""Evaluate a plan on a partition: cut by cut, then fill what is asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boost_histogram as bh
import numpy as np

from flavorframe.datasets import Partition
from flavorframe.engine import FileInfo
from flavorframe.engine.columnar.arrays import Array, Names, Values
from flavorframe.engine.columnar.columns import Columns
from flavorframe.engine.columnar.open_files import open_file
from flavorframe.engine.columnar.survivors import Survivors
from flavorframe.engine.columnar.view import Links, Scheme, make_scheme
from flavorframe.engine.partial import Chunk, Partial
from flavorframe.engine.weighted import WeightedHistogram
from flavorframe.errors import AnalysisError
from flavorframe.exact import exact_sum
from flavorframe.expr import nodes as n
from flavorframe.layout import Schema, recognise
from flavorframe.outputs import Axis, Histogram, Snapshot
from flavorframe.plan import BoundPlan, Plan
from flavorframe.result import Cutflow, CutRow, Timing
from flavorframe.selection import Best, Cut, Step, describe


class ColumnarEngine:
    """Reads the columns that the plan needs, and evaluates it with numpy."""

    name = "columnar"

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Open the file and bind the plan to its branches; see `Engine.prepare`."""
        opened = open_file(file, tree)
        bound, _ = _bind(plan, opened.schema)
        layout = recognise(opened.schema).name
        edges = opened.common_edges(bound.columns)
        return FileInfo(file, opened.tree, layout, opened.events, edges)

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Evaluate the plan on a range of events of one file."""
        began = time.perf_counter()
        opened = open_file(partition.file, partition.tree)
        bound, scheme = _bind(plan, opened.schema)
        prepared = time.perf_counter()
        columns = Columns(opened, partition.start, partition.stop, dict(bound.carriers))
        links = Links()
        with np.errstate(all="ignore"):  # infinite weights are the user's, and shown as they are
            filled = _run(plan, bound, Survivors(columns, scheme, links))
        spent = columns.spent
        fetched = spent.reading + spent.decompressing + spent.decoding
        timing = Timing(
            opening=prepared - began,
            reading=spent.reading,
            decompressing=spent.decompressing,
            decoding=spent.decoding,
            computing=time.perf_counter() - prepared - fetched,
            bytes_read=spent.bytes,
            events=len(partition),
        )
        cutflow = Cutflow(tuple(filled.rows))
        return Partial(cutflow, filled.histograms, filled.tables, links.counts, timing)

    def empty(self, plan: Plan) -> Partial:
        """Return the result of no event."""
        steps = [_labels(plan, step) for step in plan.selection.steps]
        histograms = {name: _histogram(plan, o) for name, o in plan.outputs
                      if isinstance(o, Histogram)}  # fmt: skip
        tables: dict[str, tuple[Chunk, ...]] = {
            name: () for name, o in plan.outputs if isinstance(o, Snapshot)
        }
        return Partial(Cutflow.empty(steps, weighted=plan.is_weighted), histograms, tables)


@lru_cache(maxsize=32)
def _bind(plan: Plan, schema: Schema) -> tuple[BoundPlan, Scheme]:
    bound = plan.bind(schema, recognise(schema))
    return bound, make_scheme(bound.selection.candidates, list(bound.trees()))


@dataclass
class _Filled:
    """What one pass over the survivors of a partition gives."""

    rows: list[CutRow]
    histograms: dict[str, Any]
    tables: dict[str, tuple[Chunk, ...]]


def _run(plan: Plan, bound: BoundPlan, survivors: Survivors) -> _Filled:
    left_out = _left_out(bound)
    filled = _Filled([_row(plan, ("all", "", "event"), survivors)], {}, {})
    for position, (step, declared) in enumerate(
        zip(bound.selection.steps, plan.selection.steps, strict=True)
    ):
        if step.name in left_out:
            spared = _spare(bound, position, survivors)
            for name in left_out[step.name]:
                filled.histograms[name] = _fill(bound, name, spared)
        _apply(step, survivors)
        filled.rows.append(_row(plan, _labels(plan, declared), survivors))
    for name, output in bound.outputs:
        if isinstance(output, Snapshot):
            filled.tables[name] = (_rows_of(bound, output, survivors),)
        elif output.without is None:
            filled.histograms[name] = _fill(bound, name, survivors)
    return filled


def _spare(bound: BoundPlan, position: int, survivors: Survivors) -> Survivors:
    """Return what survives when the step at ``position`` is left out."""
    spared = survivors.fork()
    for later in bound.selection.steps[position + 1 :]:
        _apply(later, spared)
    return spared


def _left_out(plan: Plan) -> dict[str, list[str]]:
    """Return the N−1 histograms by the cut that they leave out."""
    found: dict[str, list[str]] = {}
    for name, output in plan.outputs:
        if isinstance(output, Histogram) and output.without is not None:
            found.setdefault(output.without, []).append(name)
    return found


def _apply(step: Step, survivors: Survivors) -> None:
    if isinstance(step, Cut):
        survivors.cut(step.node)
    elif isinstance(step, Best):
        survivors.best(step.node, highest=step.highest)
    else:
        survivors.weigh(step.node)


def _labels(plan: Plan, step: Step) -> tuple[str, str, str]:
    return step.name, describe(step), step.node.axis.name


def _row(plan: Plan, labels: tuple[str, str, str], survivors: Survivors) -> CutRow:
    counts = (len(survivors.view.events), survivors.n_candidates)
    if not plan.is_weighted:
        return CutRow(*labels, *counts)
    candidates = survivors.weights_on(survivors.scheme.candidates)
    events = survivors.event_weights()
    return CutRow(
        *labels,
        *counts,
        sumw_events=None if events is None else exact_sum(events),
        sumw_candidates=exact_sum(candidates),
        sumw2_candidates=exact_sum(candidates**2),
    )


def _is_weighted(plan: Plan, output: Histogram) -> bool:
    return plan.is_weighted or output.weight is not None


def _histogram(plan: Plan, output: Histogram) -> Any:
    axes = [_axis(axis) for axis in output.axes]
    if _is_weighted(plan, output):
        return WeightedHistogram(axes)
    return bh.Histogram(*axes, storage=bh.storage.Int64())


def _axis(axis: Axis) -> Any:
    if axis.regular:
        return bh.axis.Regular(len(axis.edges) - 1, axis.edges[0], axis.edges[-1])
    return bh.axis.Variable(axis.edges)


def _fill(plan: Plan, name: str, survivors: Survivors) -> Any:
    output = dict(plan.outputs)[name]
    assert isinstance(output, Histogram)
    axis, view = n.join_axes(output.nodes), survivors.view
    values = [view.spread(a.node, axis).numbers() for a in output.axes]
    histogram = _histogram(plan, output)
    if not _is_weighted(plan, output):
        return histogram.fill(*values)
    weights = survivors.weights_on(axis)
    if output.weight is not None:
        weights = weights * view.spread(output.weight, axis).numbers()
    return histogram.fill(*values, weight=weights)


def _rows_of(plan: Plan, output: Snapshot, survivors: Survivors) -> Chunk:
    axis, view = n.join_axes(output.nodes), survivors.view
    if axis == n.EVENT:
        axis = plan.selection.candidates
    columns = {name: _column(name, node, view.spread(node, axis)) for name, node in output.columns}
    if plan.is_weighted:
        columns["weight"] = survivors.weights_on(axis)
    return columns


def _column(name: str, node: n.Node, values: Values) -> Array:
    if isinstance(values.data, Names):
        raise AnalysisError(
            f"Snapshot column {name!r} is a string; snapshots hold numbers and truth values."
        )
    if _may_be_missing(node):  # NaN stands for missing, in every partition alike
        return values.numbers().astype(np.float64, copy=False)
    return values.numbers()


def _may_be_missing(node: n.Node) -> bool:
    if isinstance(node, n.Gather | n.Match):
        return True
    if isinstance(node, n.Found):
        return False
    if isinstance(node, n.Reduce):
        return node.reduction in ("min", "max", "argmin", "argmax", "first")
    return any(_may_be_missing(child) for child in node.children())
