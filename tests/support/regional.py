"""Random analyses with regions, categories and variations, and the simple ones they consist of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import assume, strategies as st

import flavorframe as ff
from flavorframe._expr import nodes as n
from flavorframe._expr.categories import Categories
from flavorframe._expr.expression import Expr
from flavorframe._expr.variations import Variation
from flavorframe._planning.plan import in_region, varied_name
from flavorframe._planning.rewriting import rewritten
from flavorframe.analysis import Analysis
from flavorframe.engines.partial import Partial
from flavorframe.errors import FlavorframeError
from flavorframe.outputs import Histogram, Snapshot
from flavorframe.regions import Region
from flavorframe.selection import Cut
from support import random_selections

Draw = Callable[[st.SearchStrategy[Any]], Any]
SHIFTED = {"pt", "eta", "mass", "vertex_chi2", "dz", "flight_significance", "n_primary_vertices"}
"""Fields that are varied: numbers that each layout has."""


@st.composite
def analyses(draw: Draw) -> Analysis:
    """One region or two, of which the second may begin like the first."""
    first = draw(random_selections.analyses())
    regions = {"first": draw(regions_of(first))}
    kind = draw(st.sampled_from(("alone", "shorter", "other")))
    if kind == "shorter":
        steps = first.selection.steps[: draw(st.integers(0, len(first.selection.steps)))]
        plain = ff.hist(first_axis(first))
        selection = replace(first.selection, steps=steps)
        regions["second"] = draw(regions_of(Analysis(selection, plain=plain)))
    elif kind == "other":
        regions["second"] = draw(regions_of(draw(random_selections.analyses())))
    fields = sorted({x for r in regions.values() for x in fields_in(r)}, key=repr)
    assume(fields)
    chosen = draw(st.lists(st.sampled_from(fields), min_size=1, max_size=3, unique=True))
    varied = {field: f"s{draw(st.integers(0, 1))}" for field in chosen}
    try:
        return Analysis(None, **{name: with_shifts(r, varied) for name, r in regions.items()})
    except FlavorframeError:  # such as a candidate's category of a histogram of events' muons
        assume(False)
        raise


def first_axis(analysis: Analysis) -> Any:
    return next(axis for _, o in analysis.outputs if isinstance(o, Histogram) for axis in o.axes)


@st.composite
def regions_of(draw: Draw, analysis: Analysis) -> Region:
    """The region of an analysis, maybe with categories of what it cuts on and fills."""
    axes = (axis for _, o in analysis.outputs if isinstance(o, Histogram) for axis in o.axes)
    pool = [Expr(axis.node) < axis.edges[len(axis.edges) // 2] for axis in axes]
    pool += [Expr(step.node) for step in analysis.selection.steps if isinstance(step, Cut)]
    pool = [c for c in pool if c.node.axis in (n.EVENT, analysis.selection.candidates)]
    outputs = dict(analysis.outputs)
    if not pool or draw(st.booleans()):
        return Region(analysis.selection, **outputs)
    chosen = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))
    by = ff.categories({f"c{i}": condition for i, condition in enumerate(chosen)})
    try:
        return Region(analysis.selection, by=by, **outputs)
    except FlavorframeError:
        assume(False)
        raise


def trees_of(region: Region) -> Iterator[n.Part]:
    yield region.selection.candidates
    yield from (step.node for step in region.selection.steps)
    yield from (node for _, output in region.outputs for node in output.nodes)
    if region.by is not None:
        yield region.by.node


def fields_in(region: Region) -> set[n.Field]:
    parts = (part for tree in trees_of(region) for part in n.parts(tree))
    return {p for p in parts if isinstance(p, n.Field) and p.path[-1] in SHIFTED}


def changed(region: Region, change: Callable[[n.Part], n.Part]) -> Region:
    """Return the region with ``change`` applied to each tree."""
    by = None if region.by is None else Categories(change(region.by.node))  # type: ignore[arg-type]
    outputs = dict(rewritten(region.outputs, change))
    return Region(rewritten(region.selection, change), by=by, **outputs)


def with_shifts(region: Region, varied: dict[n.Field, str]) -> Region:
    """Return the region in which fields are varied, each by the source that it is given."""

    def change(top: n.Part) -> n.Part:
        made: dict[n.Part, n.Part] = {}
        for part in n.parts(top):
            new = part.map(made.__getitem__)
            made[part] = shifts(varied[part], new) if part in varied else new
        return made[top]

    return changed(region, change)


def shifts(source: str, field: Any) -> n.Node:
    x = Expr(field)
    return ff.vary(source, x, up=x * 1.25, down=x - 0.5).node


def without_variations(region: Region, variation: Variation | None) -> Region:
    """Return the region as one would write it who knows one variation only."""

    def change(top: n.Part) -> n.Part:
        made: dict[n.Part, n.Part] = {}
        for part in n.parts(top):
            new = part.map(made.__getitem__)
            if isinstance(new, n.Varied):
                shifts = {"": new.nominal, **dict(zip(new.shifts, new.shifted, strict=True))}
                mine = variation is not None and variation.source == new.source
                new = shifts[variation.shift if variation and mine else ""]
            made[part] = new
        return made[top]

    return changed(region, change)


@dataclass(frozen=True)
class Simple:
    """An analysis of one region without variations, and what the whole should say of it."""

    region: str
    variation: Variation | None
    analysis: Analysis

    def part_of(self, whole: Partial) -> Partial:
        """Return what a partial of the whole has of it."""
        named = {name: in_region(self.region, name) for name, _ in self.analysis.outputs}
        outputs = dict(self.analysis.outputs)
        histograms = {
            name: whole.histograms[varied_name(full, self.variation)]
            for name, full in named.items()
            if isinstance(outputs[name], Histogram)
        }
        if self.variation is not None:
            return Partial(whole.regions[self.region], histograms)
        tables = {
            name: tuple(
                {column: chunk[column] for column in self.columns(name)}
                for chunk in whole.tables[full]
            )
            for name, full in named.items()
            if isinstance(outputs[name], Snapshot)
        }
        return Partial(whole.regions[self.region], histograms, tables)

    def columns(self, snapshot: str) -> list[str]:
        output = self.analysis.plan.outputs
        spec = dict(output)[snapshot]
        assert isinstance(spec, Snapshot)
        return spec.column_names(weighted=self.analysis.selection.is_weighted)


def simple(analysis: Analysis) -> Iterator[Simple]:
    """Yield the analyses without variations that one with regions consists of."""
    for name, region in analysis.regions:
        part = Analysis(region).plan
        for variation in (None, *part.variations):
            plain = without_variations(region, variation)
            if variation is not None:  # rows are the nominal ones
                outputs = {k: o for k, o in plain.outputs if isinstance(o, Histogram)}
                plain = Region(plain.selection, by=plain.by, **outputs)
            yield Simple(name, variation, Analysis(plain))


def bits(partial: Partial, *, with_cutflow: bool) -> dict[str, Any]:
    """Return all numbers of a partial, to be compared bit by bit."""
    rows = [[*vars(replace(row, formula="")).items()] for row in partial.cutflow]
    histograms = {name: h.view(flow=True).tobytes() for name, h in partial.histograms.items()}
    tables = {
        name: [{c: np.asarray(v).tobytes() for c, v in chunk.items()} for chunk in chunks]
        for name, chunks in partial.tables.items()
    }
    return {"cutflow": repr(rows) if with_cutflow else "", **histograms, **tables}
