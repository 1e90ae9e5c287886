"""The start of every engine's result: empty histograms, and the labels of the cutflow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import boost_histogram as bh

from flavorframe._planning.chains import SinglePlan
from flavorframe._planning.plan import Plan, in_region, varied_name
from flavorframe.engines._tallies import no_tallies
from flavorframe.engines._weighted import WeightedHistogram
from flavorframe.engines.partial import Chunk, Partial
from flavorframe.outputs import Histogram, HistogramAxis, Snapshot
from flavorframe.result import Cutflow, Replica, Timing


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
    whole = whole_cutflow(cutflows, events=0)
    return Partial(whole, histograms, tables, regions=cutflows, tallies=no_tallies(plan))


def merged(plan: Plan, found: Iterable[tuple[SinglePlan, Partial]]) -> Partial:
    """Return the partial of a plan from those of its single plans."""
    parts = dict(plan.parts)
    cutflows: dict[str, Cutflow] = {}
    histograms: dict[str, Any] = {}
    tables: dict[str, tuple[Chunk, ...]] = {}
    links: dict[str, tuple[int, int, int]] = {}
    tallies: dict[str, Any] = {}
    timing = Timing()
    replicas: tuple[Replica, ...] = ()
    for single, partial in found:
        timing = timing + partial.timing
        tallies |= partial.tallies
        for name, histogram in partial.histograms.items():
            histograms[in_region(single.region, varied_name(name, single.variation))] = histogram
        if single.weights_only is not None:
            name, column = single.weights_only
            whole = in_region(single.region, name)
            tables[whole] = _with_weights(tables[whole], partial.tables[name], column)
        elif single.variation is None:
            cutflows[single.region] = _labelled(partial.cutflow, parts[single.region])
            tables |= {in_region(single.region, n): rows for n, rows in partial.tables.items()}
            links |= {in_region(single.region, n): each for n, each in partial.links.items()}
    events = next(iter(cutflows.values()))[0].events
    timing = replace(timing, events=events)
    whole_flow = whole_cutflow(cutflows, events)
    return Partial(
        whole_flow, histograms, tables, links, timing, replicas, regions=cutflows, tallies=tallies
    )


def _labelled(flow: Cutflow, plan: Plan) -> Cutflow:
    """Return a cutflow with the formulas and axes of a plan, in which quantities are varied."""
    labels = (("", flow[0].axis), *((formula, axis) for _, formula, axis in step_labels(plan)))
    rows = (replace(row, formula=f, axis=a) for row, (f, a) in zip(flow.rows, labels, strict=True))
    return replace(flow, rows=tuple(rows))


def _with_weights(
    chunks: tuple[Chunk, ...], weights: tuple[Chunk, ...], column: str
) -> tuple[Chunk, ...]:
    return tuple(
        {**chunk, column: other["weight"]} for chunk, other in zip(chunks, weights, strict=True)
    )


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
