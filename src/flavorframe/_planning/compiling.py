"""From an analysis to its plan: categories become axes, variations columns of snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._expr.variations import Variation, shifted, variations_in
from flavorframe._planning.plan import Plan, PlannedRegion, in_region, varied_name
from flavorframe._planning.rewriting import trees_in
from flavorframe.averages import Average
from flavorframe.errors import AnalysisError, ExpressionError
from flavorframe.outputs import CATEGORY, VARIATION, Histogram, HistogramAxis, Output, Snapshot
from flavorframe.selection import Selection, Weight
from flavorframe.skims import Skim

if TYPE_CHECKING:
    from flavorframe.regions import Region


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
                yield f"{name}{end}", _by_category(name, sums, category)
        elif isinstance(output, Histogram):
            _check_axes(name, output, region)
            yield name, _by_category(name, output, category)
        elif isinstance(output, Skim):
            _check_skim(name, output)
            yield name, output
        else:
            yield name, _in_variations(_with_category(output, category), region.selection, name)


def _by_category(name: str, histogram: Histogram, category: n.Category | None) -> Histogram:
    if category is None:
        return histogram
    filled = n.join_axes(histogram.nodes)
    try:
        n.join_axes((category, *histogram.nodes))
    except ExpressionError:
        raise AnalysisError(
            f"Output {name!r} has one value per {brief(filled)}, and the categories "
            f"{', '.join(category.names)} of its region one per {brief(category.axis)}: reduce one "
            "of them to the event, with any(), sum() ..., or fill it in a region without by=."
        ) from None
    edges = tuple(float(edge) for edge in range(len(category.names) + 1))
    axis = HistogramAxis(category, edges, True, CATEGORY, CATEGORY, category.names)
    return replace(histogram, axes=(axis, *histogram.axes))


def _check_axes(name: str, histogram: Histogram, region: Region) -> None:
    """Refuse a quantity that is called as the axis of categories, or that of variations, is."""
    taken = [] if region.by is None else [CATEGORY]
    if variations_in(trees_in((region.selection, region.outputs, region.by))):
        taken.append(VARIATION)
    for axis in histogram.axes:
        if axis.name in taken:
            raise AnalysisError(
                f"Histogram {name!r} has an axis {axis.name!r}, and so have all of its region: "
                f"fill {brief(axis.node)} + 0, whose axis has another name."
            )


def _check_skim(name: str, skim: Skim) -> None:
    for column, node in skim.columns:
        if variations_in([node]):
            raise AnalysisError(
                f"Skim {name!r}: branch {column!r} is {brief(node)}, and a skim has no branches "
                "for variations. Give it a branch for each shift, or take a snapshot, which has "
                "columns for them."
            )


def _with_category(snapshot: Snapshot, category: n.Category | None) -> Snapshot:
    if category is None or CATEGORY in dict(snapshot.columns):
        return snapshot
    return replace(snapshot, columns=(*snapshot.columns, (CATEGORY, category)))


def _in_variations(snapshot: Snapshot, selection: Selection, name: str) -> Snapshot:
    """Return a snapshot with a column for each variation of each of its columns and the weight."""
    rows = n.join_axes(snapshot.nodes)
    nominal = [(column, _on_nominal(rows, node)) for column, node in snapshot.columns]
    columns = [
        (column if variation is None else _column(column, variation), shifted(node, variation))
        for column, node in nominal
        for variation in (None, *variations_in([node]))
    ]
    weights = [step.node for step in selection.steps if isinstance(step, Weight)]
    varied = tuple((_column("weight", v), v) for v in variations_in(weights))
    _check_columns([column for column, _ in (*columns, *varied)], name)
    return replace(snapshot, columns=tuple(columns), varied_weights=varied)


def _on_nominal(rows: n.Axis, node: n.Node) -> n.Node:
    """Return a column of a snapshot on the nominal rows, also where their collection is varied."""
    if not variations_in([rows]):
        return node
    nominal = set(n.made_from(rows))  # such as the collections that pairs are of

    def change(part: n.Part, made: Callable[[n.Part], n.Part]) -> n.Part:
        return shifted(part, None) if part in nominal else part.map(made)

    return n.rebuilt(node, change)  # type: ignore[return-value]  # a node, as before


def _column(name: str, variation: Variation) -> str:
    """Return the name of a column in a variation: of ASCII letters, as ROOT takes it."""
    label = "".join(c if c.isascii() and c.isalnum() else "_" for c in variation.label)
    return f"{name}_{label}"


def check_names(plan: Plan) -> None:
    """Raise AnalysisError where an output is called as a sum behind another one is in partials.

    That of a mean is ``m Σx``, and in a variation ``mass [scale up]``.
    """
    _ = plan.variations  # raises where they do not go together
    seen: set[str] = set()
    for name, output in plan.outputs:
        variations = plan.part_of(name).variations if isinstance(output, Histogram) else ()
        for each in (varied_name(name, variation) for variation in (None, *variations)):
            if each in seen:
                raise AnalysisError(
                    f"An output cannot be called {each!r}: means and variations use the name "
                    "themselves. Give it another one."
                )
            seen.add(each)


def _check_columns(names: Iterable[str], snapshot: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise AnalysisError(
                f"Snapshot {snapshot!r} has two columns {name!r}, one of which is of a variation: "
                "give yours another name."
            )
        seen.add(name)
