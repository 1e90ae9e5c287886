"""What a loop gave, as the engine's partial result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from flavorframe._planning.plan import BoundPlan, Plan
from flavorframe.engines._exact import exact_sum
from flavorframe.engines._filling import empty_partial
from flavorframe.engines._rdataframe.codegen.categories import counts_in
from flavorframe.engines._rdataframe.codegen.snapshots import column_types
from flavorframe.engines._rdataframe.codegen.totals import Array, Totals
from flavorframe.engines._rdataframe.runtime.booking import LoopResult
from flavorframe.engines._rdataframe.runtime.rows import ordered_rows
from flavorframe.engines.partial import Chunk, Partial
from flavorframe.layouts import Schema
from flavorframe.outputs import Snapshot
from flavorframe.result import Cutflow, CutRow


def gathered(
    plan: Plan, bound: BoundPlan, schema: Schema, result: LoopResult, names: Sequence[str]
) -> Partial:
    """Return what a loop gave, the rows of snapshots in a chunk for each file."""
    partial = nothing(plan)
    rows: list[CutRow] = []
    links: dict[str, tuple[int, int, int]] = {}
    for places, found in result.totals:
        if places.counts:
            rows.append(_row(partial.cutflow[len(rows)], places, found))
        elif places.is_of_categories:
            rows[-1] = replace(rows[-1], categories=counts_in(places, found))
        else:
            for bins in places.bins:
                bins.fill(partial.histograms[bins.name], found)
        links |= places.link_counts(found)
    tables: dict[str, tuple[Chunk, ...]] = {}
    for name, output in bound.outputs:
        if isinstance(output, Snapshot):
            types = column_types(bound, output, schema)
            words, counts = result.rows[name]
            tables[name] = ordered_rows(words, counts, types, names)
    cutflow = Cutflow(tuple(rows), partial.cutflow.categories)
    return replace(partial, cutflow=cutflow, tables=tables, links=links)


def nothing(plan: Plan) -> Partial:
    """Return the result of no event."""
    return empty_partial(plan)


def _row(empty: CutRow, places: Totals, found: Array) -> CutRow:
    events, candidates, *weights = found[:5]
    row = replace(empty, events=round(events), candidates=round(candidates))
    if empty.sumw_candidates is None:
        return row
    of_events, of_candidates, squared = (exact_sum(np.array([weight])) for weight in weights)
    return replace(
        row,
        sumw_events=of_events if places.weighs_events else None,
        sumw_candidates=of_candidates,
        sumw2_candidates=squared,
    )
