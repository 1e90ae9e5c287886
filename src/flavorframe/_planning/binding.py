"""Binding a plan to the branches of a file; errors name the cut or output that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import lru_cache

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._expr.strings import refuse_string
from flavorframe._planning.plan import BoundPlan, Plan, PlannedRegion, in_region
from flavorframe._planning.skimming import bound_skim
from flavorframe.errors import AnalysisError, FlavorframeError
from flavorframe.layouts import Layout, Schema, bind
from flavorframe.layouts.base import inner_length_branch, length_branch
from flavorframe.layouts.binding import bind_axis
from flavorframe.layouts.checks import check_kinds
from flavorframe.outputs import Histogram, HistogramAxis, Output, Snapshot
from flavorframe.selection import USES, Selection, Step
from flavorframe.skims import Skim


def bind_plan(plan: Plan, schema: Schema, layout: Layout) -> BoundPlan:
    """Return the plan in terms of a file's branches.

    Raises BranchError or ExpressionError, which name the cut or output, where the file does
    not have what the plan needs.
    """
    regions = [
        PlannedRegion(name, *_bound_region(name, part, layout, schema)) for name, part in plan.parts
    ]
    candidates = {region.name: region.selection.candidates for region in regions}
    outputs = tuple(
        (whole, _bound_output(whole, output, candidates[region], layout, schema))
        for region, part in plan.parts
        for whole, output in ((in_region(region, name), o) for name, o in part.outputs)
    )
    first, named = regions[0], tuple(regions) if plan.regions else ()
    found = Plan(first.selection, outputs, first.category, named)
    lengths = _length_branches(found, layout, schema)
    return BoundPlan(first.selection, outputs, first.category, named, lengths)


def _bound_region(
    name: str, plan: Plan, layout: Layout, schema: Schema
) -> tuple[Selection, n.Category | None]:
    candidates = bind_axis(plan.selection.candidates, layout, schema)
    with _naming(f"region {name!r}") if name else nullcontext():
        steps = tuple(_bound_step(s, candidates, layout, schema) for s in plan.selection.steps)
        category: n.Category | None = None
        if plan.category is not None:
            bound = _bound(plan.category, "categories", layout, schema)
            assert isinstance(bound, n.Category)
            category = bound
    return replace(plan.selection, candidates=candidates, steps=steps), category


def _bound_step(step: Step, candidates: n.Axis, layout: Layout, schema: Schema) -> Step:
    where = f"{type(step).__name__} {step.name!r}"
    node = _bound(step.node, where, layout, schema)
    refuse_string(node, where, USES[type(step)])
    if node.axis not in (n.EVENT, candidates):
        raise AnalysisError(
            f"{type(step).__name__} {step.name!r} has one value per {brief(node.axis)} in this "
            f"file, and the candidates are {brief(candidates)}: reduce it with any(), sum() ...."
        )
    return replace(step, node=node)


def _bound_output(
    name: str, output: Output, candidates: n.Axis, layout: Layout, schema: Schema
) -> Output:
    def bound(node: n.Node) -> n.Node:
        return _bound(node, f"output {name!r}", layout, schema)

    if isinstance(output, Snapshot):
        columns = tuple((column, bound(node)) for column, node in output.columns)
        if isinstance(output, Skim):
            with _naming(f"output {name!r}"):
                return bound_skim(replace(output, columns=columns), candidates, layout, schema)
        n.join_axes(tuple(node for _, node in columns))
        return replace(output, columns=columns)
    axes: tuple[HistogramAxis, ...] = tuple(replace(a, node=bound(a.node)) for a in output.axes)
    weight = None if output.weight is None else bound(output.weight)
    spec = Histogram(axes, weight, output.without)
    for node in spec.nodes:
        refuse_string(node, f"output {name!r}", "filled, or are weights")
    n.join_axes(spec.nodes)
    return spec


def _bound(node: n.Node, where: str, layout: Layout, schema: Schema) -> n.Node:
    with _naming(where):
        return _bound_tree(node, layout, schema)


@contextmanager
def _naming(where: str) -> Iterator[None]:
    """Say in errors which cut or output is wrong."""
    try:
        yield
    except FlavorframeError as error:
        raise type(error)(f"{where}: {error}") from None


@lru_cache(maxsize=1024)  # another plan of the session has most of its expressions in common
def _bound_tree(node: n.Node, layout: Layout, schema: Schema) -> n.Node:
    bound = bind(node, layout, schema)
    check_kinds(bound)
    return bound


def _length_branches(plan: Plan, layout: Layout, schema: Schema) -> tuple[tuple[n.Axis, str], ...]:
    """Find a branch of each collection that the plan asks for, one that it reads anyway if any."""
    length_branches: dict[n.Axis, str] = {}
    wanted: dict[n.Axis, None] = {}
    axes = (part.selection.candidates for _, part in plan.parts)
    for top in (*axes, *plan.trees()):
        for part in n.parts(top):
            if isinstance(part, n.Column) and part.on != n.EVENT:
                length_branches.setdefault(part.on, part.branch)
                if isinstance(part.on, n.StoredLists):
                    length_branches.setdefault(part.on.outer, part.branch)
            elif isinstance(part, n.CollectionAxis | n.StoredLists):
                wanted[part] = None
    for axis in wanted:
        if axis not in length_branches:
            length_branches[axis] = (
                inner_length_branch(axis, schema)
                if isinstance(axis, n.StoredLists)
                else length_branch(axis, layout, schema)
            )
    return tuple(length_branches.items())
