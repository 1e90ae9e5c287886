"""The start of every engine's result: empty histograms, and the labels of the cutflow."""

from __future__ import annotations

from functools import lru_cache

import boost_histogram as bh

from flavorframe._planning.plan import Plan, in_region
from flavorframe.engines._weighted import WeightedHistogram
from flavorframe.engines.partial import Chunk, Partial
from flavorframe.outputs import Histogram, HistogramAxis, Snapshot
from flavorframe.result import Cutflow


def empty_partial(plan: Plan) -> Partial:
    """Return the result of no event."""
    cutflows = {region: _empty_cutflow(part) for region, part in plan.parts}
    histograms = {
        in_region(region, name): empty_histogram(output, weighted=part.is_weighted)
        for region, part in plan.parts
        for name, output in part.filled
    }
    tables: dict[str, tuple[Chunk, ...]] = {
        name: () for name, o in plan.outputs if isinstance(o, Snapshot)
    }
    return Partial(whole_cutflow(cutflows, events=0), histograms, tables, regions=cutflows)


def _empty_cutflow(plan: Plan) -> Cutflow:
    categories = () if plan.category is None else plan.category.names
    return Cutflow.empty(step_labels(plan), weighted=plan.is_weighted, categories=categories)


def whole_cutflow(cutflows: dict[str, Cutflow], events: int) -> Cutflow:
    """Return the cutflow of a whole plan: of one selection its own, otherwise the events read."""
    if "" in cutflows:
        return cutflows.pop("")
    return Cutflow.of_events(events)


def empty_histogram(output: Histogram, *, weighted: bool) -> bh.Histogram | WeightedHistogram:
    """Return a histogram without entries; with weights, its own or ``weighted``, sums are exact."""
    axes = [_boost_axis(axis) for axis in output.axes]
    if weighted or output.weight is not None:
        return WeightedHistogram(axes)
    return bh.Histogram(*axes, storage=bh.storage.Int64())


@lru_cache(maxsize=32)
def step_labels(plan: Plan) -> list[tuple[str, str, str]]:
    """Return the name, formula and axis of each step of the selection."""
    return [(step.name, step.formula, step.node.axis.name) for step in plan.selection.steps]


def _boost_axis(axis: HistogramAxis) -> bh.axis.Axis:
    if axis.regular:
        return bh.axis.Regular(len(axis.edges) - 1, axis.edges[0], axis.edges[-1])
    return bh.axis.Variable(axis.edges)
