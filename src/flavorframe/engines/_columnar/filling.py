"""Fill the histograms and snapshots of a plan from the survivors of a partition."""

from __future__ import annotations

from dataclasses import dataclass, field

import boost_histogram as bh

from flavorframe._expr import nodes as n
from flavorframe._planning.chains import Chain, Filled
from flavorframe._planning.plan import Plan, in_region
from flavorframe._rootio.arrays import Array
from flavorframe.engines._columnar.runner import Counts, Runner
from flavorframe.engines._columnar.skimming import events_of
from flavorframe.engines._columnar.stored import stored_column
from flavorframe.engines._columnar.survivors import Survivors
from flavorframe.engines._filling import empty_histogram, step_labels
from flavorframe.engines._weighted import WeightedHistogram
from flavorframe.engines.partial import Chunk
from flavorframe.outputs import Histogram, HistogramAxis, Snapshot
from flavorframe.result import Cutflow, CutRow
from flavorframe.skims import Skim


@dataclass
class Gathered:
    """What the chains of a partition gave: cutflows and counts of links by region, outputs."""

    cutflows: dict[str, Cutflow] = field(default_factory=dict)
    links: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    histograms: dict[str, bh.Histogram | WeightedHistogram] = field(default_factory=dict)
    tables: dict[str, tuple[Chunk, ...]] = field(default_factory=dict)


def fill_outputs(plan: Plan, runner: Runner) -> Gathered:
    """Take the survivors along all chains, and fill histograms and snapshots at their ends."""
    gathered, parts = Gathered(), dict(plan.parts)
    for chain, progress in runner.run():
        filling = Filling(chain, progress.survivors)
        for filled in chain.filled:
            output = filled.output
            if isinstance(output, Histogram):
                gathered.histograms[filled.name] = filling.histogram(filled)
            else:
                gathered.tables[filled.name] = (filling.rows(output),)
        if chain.is_main:
            gathered.cutflows[chain.region] = _cutflow(parts[chain.region], progress.rows)
            links = progress.survivors.links
            for name, numbers in (links.counts if links else {}).items():
                gathered.links[in_region(chain.region, name)] = numbers
    return gathered


def _cutflow(plan: Plan, rows: list[Counts]) -> Cutflow:
    labels = [("all", "", "event"), *step_labels(plan)]
    named = (CutRow(*label, **row._asdict()) for label, row in zip(labels, rows, strict=True))
    return Cutflow(tuple(named), () if plan.category is None else plan.category.names)


class Filling:
    """Fills the outputs at the end of a chain; bins are looked up once for all weights."""

    def __init__(self, chain: Chain, survivors: Survivors) -> None:
        self._chain, self._survivors = chain, survivors
        self._bins: dict[tuple[HistogramAxis, ...], Array] = {}

    def histogram(self, filled: Filled) -> bh.Histogram | WeightedHistogram:
        """Return a histogram with the survivors in it."""
        output = filled.output
        assert isinstance(output, Histogram)
        axis = n.join_axes(output.nodes)
        histogram = empty_histogram(output, weighted=self._chain.is_weighted)
        if not isinstance(histogram, WeightedHistogram):
            return histogram.fill(*self._values(output, axis))
        weights = self._survivors.weights_on(axis, filled.variation)
        if output.weight is not None:
            weights = weights * self._survivors.values(output.weight, axis).numbers()
        if output.axes not in self._bins:
            self._bins[output.axes] = histogram.bins(*self._values(output, axis))
        return histogram.add(self._bins[output.axes], weights)

    def _values(self, output: Histogram, axis: n.Axis) -> list[Array]:
        return [self._survivors.values(a.node, axis).numbers() for a in output.axes]

    def rows(self, output: Snapshot) -> Chunk:
        """Return the rows of a snapshot or skim."""
        if isinstance(output, Skim):
            return events_of(output, self._survivors)
        axis = n.join_axes(output.nodes)
        if axis == n.EVENT:
            axis = self._chain.candidates
        columns = {
            name: stored_column(name, node, self._survivors.values(node, axis))
            for name, node in output.columns
        }
        if self._chain.is_weighted:
            columns["weight"] = self._survivors.weights_on(axis)
            for name, variation in output.varied_weights:
                columns[name] = self._survivors.weights_on(axis, variation)
        return columns
