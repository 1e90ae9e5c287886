"""Fill the histograms and snapshots of a plan from the survivors of a partition."""

from __future__ import annotations

from dataclasses import dataclass, field

import boost_histogram as bh

from flavorframe._expr import nodes as n
from flavorframe._planning.plan import BoundPlan, Plan
from flavorframe.engines._columnar.runner import Progress, Runner
from flavorframe.engines._columnar.skimming import events_of
from flavorframe.engines._columnar.stored import stored_column
from flavorframe.engines._columnar.survivors import Survivors
from flavorframe.engines._filling import empty_histogram, step_labels
from flavorframe.engines._weighted import WeightedHistogram
from flavorframe.engines.partial import Chunk
from flavorframe.outputs import Histogram, Snapshot
from flavorframe.result import Cutflow, CutRow
from flavorframe.skims import Skim


@dataclass
class Filled:
    """The cutflow and the filled outputs of a partition."""

    cutflow: Cutflow
    histograms: dict[str, bh.Histogram | WeightedHistogram] = field(default_factory=dict)
    tables: dict[str, tuple[Chunk, ...]] = field(default_factory=dict)


def fill_outputs(plan: Plan, bound: BoundPlan, runner: Runner) -> Filled:
    """Take the survivors through all steps, and fill histograms and snapshots.

    An N−1 histogram is filled with the survivors of all steps but one. So the survivors are copied
    before that step, and the copy is taken through the steps after it.
    """
    left_out = _left_out(bound)
    n_minus_one: dict[str, bh.Histogram | WeightedHistogram] = {}

    def fill_n_minus_one(position: int, before: Progress | None) -> None:
        names = left_out.get(bound.selection.steps[position].name, [])
        if names:
            survivors = runner.run_without(position, before).survivors
            n_minus_one.update((name, _fill(bound, name, survivors)) for name in names)

    progress = runner.run(fill_n_minus_one)
    labels = [("all", "", "event"), *step_labels(plan)]
    rows = [
        CutRow(*label, **row._asdict()) for label, row in zip(labels, progress.rows, strict=True)
    ]
    filled = Filled(Cutflow(tuple(rows)), n_minus_one)
    for name, output in bound.outputs:
        if isinstance(output, Skim):
            filled.tables[name] = (events_of(output, progress.survivors),)
        elif isinstance(output, Snapshot):
            filled.tables[name] = (_rows_of(bound, output, progress.survivors),)
        elif output.without is None:
            filled.histograms[name] = _fill(bound, name, progress.survivors)
    return filled


def _left_out(plan: Plan) -> dict[str, list[str]]:
    """Return the names of the N−1 histograms by the step that they leave out."""
    found: dict[str, list[str]] = {}
    for name, output in plan.outputs:
        if isinstance(output, Histogram) and output.without is not None:
            found.setdefault(output.without, []).append(name)
    return found


def _fill(plan: Plan, name: str, survivors: Survivors) -> bh.Histogram | WeightedHistogram:
    output = dict(plan.outputs)[name]
    assert isinstance(output, Histogram)
    axis = n.join_axes(output.nodes)
    values = [survivors.values(a.node, axis).numbers() for a in output.axes]
    histogram = empty_histogram(plan, output)
    if not isinstance(histogram, WeightedHistogram):
        return histogram.fill(*values)
    weights = survivors.weights_on(axis)
    if output.weight is not None:
        weights = weights * survivors.values(output.weight, axis).numbers()
    return histogram.fill(*values, weight=weights)


def _rows_of(plan: Plan, output: Snapshot, survivors: Survivors) -> Chunk:
    axis = n.join_axes(output.nodes)
    if axis == n.EVENT:
        axis = plan.selection.candidates
    columns = {
        name: stored_column(name, node, survivors.values(node, axis))
        for name, node in output.columns
    }
    if plan.is_weighted:
        columns["weight"] = survivors.weights_on(axis)
    return columns
