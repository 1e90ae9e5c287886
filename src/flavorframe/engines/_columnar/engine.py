"""The columnar engine: opens files, binds plans to them, and evaluates partitions."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from flavorframe._cache import Caching, cache_of
from flavorframe._expr import nodes as n
from flavorframe._expr.identity.fingerprints import doubts_of
from flavorframe._planning.binding import bind_plan
from flavorframe._planning.chains import Chain, chains_of
from flavorframe._planning.meaning import lacking, meanings
from flavorframe._planning.plan import BoundPlan, Plan
from flavorframe._rootio.event_file import EventFile
from flavorframe._rootio.open_files import forget, open_file
from flavorframe._rootio.root_file import RootFile, require_whole
from flavorframe.datasets import Partition
from flavorframe.engines._columnar.caching import (
    CachedColumns,
    CachedRunner,
    CachedViewMaker,
    PartitionCache,
    is_stable,
)
from flavorframe.engines._columnar.columns import Columns
from flavorframe.engines._columnar.facts import PlanFacts, facts_of
from flavorframe.engines._columnar.filling import fill_outputs
from flavorframe.engines._columnar.runner import Fork, Runner, forks_of
from flavorframe.engines._columnar.skimming import skimmed
from flavorframe.engines._columnar.views import ViewMaker
from flavorframe.engines._event_files import as_events, friend_counts
from flavorframe.engines._filling import empty_partial, whole_cutflow
from flavorframe.engines._generated import generated_in
from flavorframe.engines._tallies import branches_of_tallies, tallied
from flavorframe.engines.partial import Partial
from flavorframe.engines.protocol import FileInfo
from flavorframe.errors import FileError
from flavorframe.layouts import Layout, Schema
from flavorframe.result import Timing

_TOLD: set[str] = set()


class ColumnarEngine:
    """Reads the columns that the plan needs, and evaluates it with numpy."""

    name = "columnar"

    def __init__(self, caching: Caching | None = None) -> None:
        """``caching`` says where what was read and computed is kept, if it is."""
        self._caching = caching

    def prepare(self, plan: Plan, file: str, tree: str | None) -> FileInfo:
        """Open the file and bind the plan to its branches; see `Engine.prepare`."""
        stored = open_file(file, tree)
        opened, layout = as_events(stored, plan.layout, plan.friends)
        bound = _bind(plan, opened.schema, layout).plan
        read = (*bound.columns, *branches_of_tallies(plan, opened.schema, layout))
        require_whole(file, opened.schema, opened.events, opened.shorter, read)
        edges = opened.common_edges(bound.columns)
        return FileInfo(
            file, opened.tree, layout.name, opened.events, edges, opened.version,
            meanings(plan, layout, opened.schema), lacking(plan, layout, opened.schema),
            tuple(skimmed(bound, stored, opened.schema)), units=layout.units,
            generated=generated_in(file, tree, plan.weights_in),
        )  # fmt: skip

    def evaluate(self, plan: Plan, partition: Partition) -> Partial:
        """Evaluate the plan on a range of events of one file."""
        began = time.perf_counter()
        file = open_file(partition.file, partition.tree, partition.version)
        try:
            return self._evaluate(plan, partition, file, began)
        except FileError:
            forget(file)
            raise

    def _evaluate(self, plan: Plan, partition: Partition, file: RootFile, began: float) -> Partial:
        opened, layout = as_events(file, plan.layout, plan.friends)
        bound = _bind(plan, opened.schema, layout)
        prepared = time.perf_counter()
        cache = self._partition_cache(plan, partition, opened, layout)
        columns, runner = _evaluation(bound, partition, opened, cache)
        ahead = opened.ahead(bound.plan.columns, partition.start, partition.stop)
        with ahead, np.errstate(all="ignore"):  # infinite weights are the user's, and shown
            found = fill_outputs(plan, runner)
        friends = friend_counts(opened, partition.start, partition.stop)
        if cache is not None:
            cache.save()
        timing = _timing(columns, partition, began, prepared)
        whole = whole_cutflow(found.cutflows, len(partition))
        return Partial(
            whole, found.histograms, found.tables, {**found.links, **friends}, timing,
            regions=found.cutflows, tallies=tallied(plan, opened, layout, partition),
        )  # fmt: skip

    def _partition_cache(
        self, plan: Plan, partition: Partition, opened: EventFile, layout: Layout
    ) -> PartitionCache | None:
        """Return the cache of a partition, or None where nothing can be kept of it."""
        version = opened.version
        if self._caching is None or version is None or not is_stable(opened.path, version):
            return None
        return PartitionCache(cache_of(self._caching), partition, version, layout, plan.friends)

    def tell_what_is_not_kept(self, plan: Plan) -> None:
        """Warn of functions after which the cache keeps nothing, of each once in a process."""
        for doubt in [] if self._caching is None else doubts_of(plan.trees()):
            if doubt not in _TOLD:
                _TOLD.add(doubt)
                reason = (
                    f"The cache keeps nothing that comes after the function {doubt}. Its values "
                    "may depend on more than its arguments: they are computed in each run."
                )
                warnings.warn(reason, RuntimeWarning, stacklevel=4)

    def empty(self, plan: Plan) -> Partial:
        """Return the result of no event."""
        return empty_partial(plan)


@dataclass(frozen=True)
class _Bound:
    """A plan bound to a file, its chains, where they part, and facts by axis of candidates."""

    plan: BoundPlan
    chains: tuple[Chain, ...]
    forks: tuple[Fork | None, ...]
    facts: Mapping[n.Axis, PlanFacts]


@lru_cache(maxsize=32)
def _bind(plan: Plan, schema: Schema, layout: Layout) -> _Bound:
    bound = bind_plan(plan, schema, layout)
    chains = chains_of(bound, plan)
    facts = {
        axis: facts_of(axis, [chain.trees for chain in chains if chain.candidates == axis])
        for axis in {chain.candidates: None for chain in chains}
    }
    return _Bound(bound, chains, tuple(forks_of(chains)), facts)


def _evaluation(
    bound: _Bound, partition: Partition, opened: EventFile, cache: PartitionCache | None
) -> tuple[Columns, Runner]:
    """Return what evaluates a partition: plainly, or within the wrappers that ask the cache."""
    place = opened, partition.start, partition.stop, dict(bound.plan.length_branches)
    if cache is None:
        columns = Columns(*place)
        makers = {axis: ViewMaker(columns, facts) for axis, facts in bound.facts.items()}
        return columns, Runner(bound.chains, bound.forks, makers, columns)
    cached = CachedColumns(*place, cache)
    keeping = {
        axis: CachedViewMaker(cached, facts, cache=cache) for axis, facts in bound.facts.items()
    }
    return cached, CachedRunner(bound.chains, bound.forks, keeping, cached, cache)


def _timing(columns: Columns, partition: Partition, began: float, prepared: float) -> Timing:
    stats = columns.stats
    fetched = stats.reading + stats.decompressing + stats.decoding
    return Timing(
        opening=prepared - began,
        reading=stats.reading,
        decompressing=stats.decompressing,
        decoding=stats.decoding,
        computing=time.perf_counter() - prepared - fetched,
        bytes_read=stats.bytes,
        events=len(partition),
    )
