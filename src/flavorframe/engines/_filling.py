"""The start of every engine's result: empty histograms, and the labels of the cutflow."""

from __future__ import annotations

from functools import lru_cache

import boost_histogram as bh

from flavorframe._planning.plan import Plan
from flavorframe.engines._tallies import no_tallies
from flavorframe.engines._weighted import WeightedHistogram
from flavorframe.engines.partial import Chunk, Partial
from flavorframe.outputs import Histogram, HistogramAxis, Snapshot
from flavorframe.result import Cutflow


def empty_partial(plan: Plan) -> Partial:
    """Return the result of no event."""
    histograms = {
        name: empty_histogram(plan, o) for name, o in plan.outputs if isinstance(o, Histogram)
    }
    tables: dict[str, tuple[Chunk, ...]] = {
        name: () for name, o in plan.outputs if isinstance(o, Snapshot)
    }
    cutflow = Cutflow.empty(step_labels(plan), weighted=plan.is_weighted)
    return Partial(cutflow, histograms, tables, tallies=no_tallies(plan))


def empty_histogram(plan: Plan, output: Histogram) -> bh.Histogram | WeightedHistogram:
    """Return a histogram without entries, whose sums of weights are exact if it has weights."""
    axes = [_boost_axis(axis) for axis in output.axes]
    if _has_weights(plan, output):
        return WeightedHistogram(axes)
    return bh.Histogram(*axes, storage=bh.storage.Int64())


def _has_weights(plan: Plan, output: Histogram) -> bool:
    """Return whether entries of the histogram are weighted, by the selection or on their own."""
    return plan.is_weighted or output.weight is not None


@lru_cache(maxsize=32)
def step_labels(plan: Plan) -> list[tuple[str, str, str]]:
    """Return the name, formula and axis of each step of the selection."""
    return [(step.name, step.formula, step.node.axis.name) for step in plan.selection.steps]


def _boost_axis(axis: HistogramAxis) -> bh.axis.Axis:
    if axis.regular:
        return bh.axis.Regular(len(axis.edges) - 1, axis.edges[0], axis.edges[-1])
    return bh.axis.Variable(axis.edges)
