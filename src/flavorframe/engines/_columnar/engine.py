"""Evaluate a plan on a partition: cut by cut, then fill what is asked for."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boost_histogram as bh
import numpy as np

from flavorframe._cache import Caching, cache_of
from flavorframe._expr import nodes as n
from flavorframe._expr.identity.fingerprints import doubts_of
from flavorframe._planning.meaning import meanings
from flavorframe._planning.plan import BoundPlan, Plan
from flavorframe._rootio.arrays import Array, Names, Values
from flavorframe._rootio.open_files import forget, open_file
from flavorframe._rootio.reader import RootFile, require_whole
from flavorframe.datasets import Partition
from flavorframe.engines._columnar.columns import Columns
from flavorframe.engines._columnar.known import Known, is_settled
from flavorframe.engines._columnar.route import Place, Route
from flavorframe.engines._columnar.scheme import Scheme, make_scheme
from flavorframe.engines._columnar.survivors import Survivors
from flavorframe.engines._columnar.view import Links
from flavorframe.engines._weighted import WeightedHistogram
from flavorframe.engines.partial import Chunk, Partial
from flavorframe.engines.protocol import FileInfo
from flavorframe.errors import AnalysisError, FileError
from flavorframe.layouts import Schema, recognise
from flavorframe.outputs import Axis, Histogram, Snapshot
from flavorframe.result import Cutflow, CutRow, Timing
from flavorframe.selection import describe

_TOLD: set[str] = set()


class ColumnarEngine:
    """Reads the columns that the plan needs, and evaluates it with numpy."""

    name = "columnar"

    def __init__(self, caching: Caching | None = None) -> None:
        """``caching`` says where what was read and computed is kept, if it is."""
        self._caching = caching

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Open the file and bind the plan to its branches; see `Engine.prepare`."""
        opened = open_file(file, tree)
        bound, _ = _bind(plan, opened.schema)
        require_whole(file, opened.schema, opened.events, opened.shorter, bound.columns)
        layout = recognise(opened.schema)
        edges = opened.common_edges(bound.columns)
        meant = meanings(plan, layout, opened.schema)
        return FileInfo(file, opened.tree, layout.name, opened.events, edges, opened.version, meant)

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Evaluate the plan on a range of events of one file."""
        began = time.perf_counter()
        opened = open_file(partition.file, partition.tree, partition.version)
        try:
            return self._evaluate(plan, partition, opened, began)
        except FileError:
            forget(opened)
            raise

    def _evaluate(
        self, plan: Plan, partition: Partition, opened: RootFile, began: float
    ) -> Partial:
        bound, scheme = _bind(plan, opened.schema)
        prepared = time.perf_counter()
        known = self._known(partition, opened)
        columns = Columns(opened, partition.start, partition.stop, dict(bound.carriers), known)
        links = Links()
        ahead = opened.ahead(bound.columns, partition.start, partition.stop)
        with ahead, np.errstate(all="ignore"):  # infinite weights are the user's, and shown
            filled = _run(plan, bound, Route(bound, columns, scheme, known), links)
        if known is not None:
            known.keep()
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

    def _known(self, partition: Partition, opened: RootFile) -> Known | None:
        """Return what is known of a partition, or None where nothing can be."""
        version = opened.version
        if self._caching is None or version is None or not is_settled(opened.path, version):
            return None
        return Known(cache_of(self._caching), partition, version)

    def tell_what_is_not_kept(self, plan: Plan) -> None:
        """Warn of functions after which the cache keeps nothing, of each once in a process."""
        for doubt in [] if self._caching is None else doubts_of(plan.trees()):
            if doubt not in _TOLD:
                _TOLD.add(doubt)
                reason = (
                    f"The cache keeps nothing that comes after the function {doubt}. Its values "
                    "may depend on more than its arguments: they are computed in each run."
                )
                warnings.warn(reason, RuntimeWarning, stacklevel=3)

    def empty(self, plan: Plan) -> Partial:
        """Return the result of no event."""
        histograms = {name: _histogram(plan, o) for name, o in plan.outputs
                      if isinstance(o, Histogram)}  # fmt: skip
        tables: dict[str, tuple[Chunk, ...]] = {
            name: () for name, o in plan.outputs if isinstance(o, Snapshot)
        }
        return Partial(Cutflow.empty(_labels(plan), weighted=plan.is_weighted), histograms, tables)


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


def _run(plan: Plan, bound: BoundPlan, route: Route, links: Links) -> _Filled:
    filled = _Filled([], {}, {})
    left_out = _left_out(bound)

    def spare(position: int, before: Place | None) -> None:
        """Fill the histograms that leave out a step, from the place before it if one is given."""
        names = left_out.pop(bound.selection.steps[position].name, [])
        if names:
            steps = bound.selection.steps[:position] + bound.selection.steps[position + 1 :]
            spared = route.lead(steps, None, fork=before)
            for name in names:
                filled.histograms[name] = _fill(bound, name, spared.survivors)

    place = route.lead(bound.selection.steps, links, before=spare)
    labels = [("all", "", "event"), *_labels(plan)]
    filled.rows += [CutRow(*label, *row) for label, row in zip(labels, place.rows, strict=True)]
    for position, step in enumerate(bound.selection.steps):
        if step.name in left_out:  # the way began after this step
            spare(position, None)
    for name, output in bound.outputs:
        if isinstance(output, Snapshot):
            filled.tables[name] = (_rows_of(bound, output, place.survivors),)
        elif output.without is None:
            filled.histograms[name] = _fill(bound, name, place.survivors)
    return filled


def _left_out(plan: Plan) -> dict[str, list[str]]:
    """Return the N−1 histograms by the cut that they leave out."""
    found: dict[str, list[str]] = {}
    for name, output in plan.outputs:
        if isinstance(output, Histogram) and output.without is not None:
            found.setdefault(output.without, []).append(name)
    return found


@lru_cache(maxsize=32)
def _labels(plan: Plan) -> list[tuple[str, str, str]]:
    """Return the name, formula and axis of each step."""
    return [(step.name, describe(step), step.node.axis.name) for step in plan.selection.steps]


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
    axis = n.join_axes(output.nodes)
    values = [survivors.values(a.node, axis).numbers() for a in output.axes]
    histogram = _histogram(plan, output)
    if not _is_weighted(plan, output):
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
        name: _column(name, node, survivors.values(node, axis)) for name, node in output.columns
    }
    if plan.is_weighted:
        columns["weight"] = survivors.weights_on(axis)
    return columns


def _column(name: str, node: n.Node, values: Values) -> Array:
    if isinstance(values.data, Names):
        raise AnalysisError(
            f"Snapshot column {name!r} is a string; snapshots hold numbers and truth values."
        )
    if n.may_be_missing(node):  # NaN stands for missing, in every partition alike
        return values.numbers().astype(np.float64, copy=False)
    return values.numbers()
