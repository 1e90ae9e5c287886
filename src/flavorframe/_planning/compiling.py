"""From an analysis to its plan: categories become axes, variations columns of snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from flavorframe._expr import nodes as n
from flavorframe._expr.variations import Variation, shifted, variations_in
from flavorframe._planning.plan import Plan, PlannedRegion, in_region
from flavorframe.averages import Average
from flavorframe.errors import AnalysisError
from flavorframe.outputs import Histogram, HistogramAxis, Output, Snapshot
from flavorframe.selection import Selection, Weight
from flavorframe.skims import Skim

if TYPE_CHECKING:
    from flavorframe.regions import Region

CATEGORY = "category"
"""The axis of histograms, and the column of snapshots, with the category."""


def plan_of(regions: Sequence[tuple[str, Region]]) -> Plan:
    """Return the plan of an analysis."""
    outputs = tuple(
        (in_region(name, output), each)
        for name, region in regions
        for output, each in _outputs(region)
    )
    planned = tuple(
        PlannedRegion(name, region.selection, _category(region)) for name, region in regions
    )
    first, named = planned[0], planned if planned[0].name else ()
    return Plan(first.selection, outputs, first.category, named)


def _category(region: Region) -> n.Category | None:
    return None if region.by is None else region.by.node


def _outputs(region: Region) -> Iterator[tuple[str, Output]]:
    category = _category(region)
    for name, output in region.outputs:
        if isinstance(output, Average):
            for end, sums in output.sums():
                yield f"{name}{end}", _by_category(sums, category)
        elif isinstance(output, Histogram):
            yield name, _by_category(output, category)
        elif isinstance(output, Skim):
            yield name, output
        else:
            yield name, _in_variations(_with_category(output, category), region.selection, name)


def _by_category(histogram: Histogram, category: n.Category | None) -> Histogram:
    if category is None:
        return histogram
    edges = tuple(float(edge) for edge in range(len(category.names) + 1))
    axis = HistogramAxis(category, edges, True, CATEGORY, CATEGORY, category.names)
    return replace(histogram, axes=(axis, *histogram.axes))


def _with_category(snapshot: Snapshot, category: n.Category | None) -> Snapshot:
    if category is None or CATEGORY in dict(snapshot.columns):
        return snapshot
    return replace(snapshot, columns=(*snapshot.columns, (CATEGORY, category)))


def _in_variations(snapshot: Snapshot, selection: Selection, name: str) -> Snapshot:
    """Return a snapshot with a column for each variation of each of its columns and the weight."""
    columns = [
        (column if variation is None else _column(column, variation), shifted(node, variation))
        for column, node in snapshot.columns
        for variation in (None, *variations_in([node]))
    ]
    weights = [step.node for step in selection.steps if isinstance(step, Weight)]
    varied = tuple((_column("weight", v), v) for v in variations_in(weights))
    _check_names([column for column, _ in (*columns, *varied)], name)
    return replace(snapshot, columns=tuple(columns), varied_weights=varied)


def _column(name: str, variation: Variation) -> str:
    """Return the name of a column in a variation: of ASCII letters, as ROOT takes it."""
    label = "".join(c if c.isascii() and c.isalnum() else "_" for c in variation.label)
    return f"{name}_{label}"


def _check_names(names: Iterable[str], snapshot: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise AnalysisError(
                f"Snapshot {snapshot!r} has two columns {name!r}, one of which is of a variation: "
                "give yours another name."
            )
        seen.add(name)
