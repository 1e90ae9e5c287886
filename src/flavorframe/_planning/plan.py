"""The compiled form of an analysis: immutable, hashable, and bound to a file's branches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._expr.identity.fingerprints import fingerprint
from flavorframe._expr.strings import refuse_string
from flavorframe.errors import AnalysisError, FlavorframeError
from flavorframe.layouts import Layout, Schema, bind
from flavorframe.layouts.base import carrier
from flavorframe.layouts.binding import bind_axis
from flavorframe.layouts.checks import check_kinds
from flavorframe.outputs import Histogram, HistogramAxis, Output, Snapshot
from flavorframe.selection import USES, Selection, Step


@dataclass(frozen=True)
class Plan:
    """What to evaluate on each partition: the steps of the selection, then the outputs."""

    selection: Selection
    outputs: tuple[tuple[str, Output], ...]

    def trees(self) -> Iterator[n.Node]:
        """Yield every expression that is evaluated."""
        for step in self.selection.steps:
            yield step.node
        for _, output in self.outputs:
            yield from output.nodes

    @cached_property
    def digest(self) -> str:
        """A fingerprint of the plan, the same in every process and wherever rows are written.

        Functions of the user's are known by their code and all that it refers to, corrections by
        what their files hold.
        """
        outputs = tuple(
            (name, replace(output, path=None, files=1) if isinstance(output, Snapshot) else output)
            for name, output in self.outputs
        )
        content = (self.selection.candidates, self.selection.steps, outputs)
        return fingerprint(content, named=True).hex()

    def bind(self, schema: Schema, layout: Layout) -> BoundPlan:
        """Return the plan in terms of a file's branches.

        Raises BranchError or ExpressionError, which name the cut or output, where the file does
        not have what the plan needs.
        """
        candidates = bind_axis(self.selection.candidates, layout, schema)
        steps = tuple(
            _bound_step(step, candidates, layout, schema) for step in self.selection.steps
        )
        outputs = tuple(
            (name, _bound_output(name, output, layout, schema)) for name, output in self.outputs
        )
        selection = replace(self.selection, candidates=candidates, steps=steps)
        plan = Plan(selection, outputs)
        return BoundPlan(plan.selection, plan.outputs, _carriers(plan, layout, schema))

    @property
    def is_weighted(self) -> bool:
        """Whether the selection weighs candidates."""
        return self.selection.is_weighted


@dataclass(frozen=True)
class BoundPlan(Plan):
    """A plan whose leaves are columns of a file; ``carriers`` has a branch of each collection."""

    carriers: tuple[tuple[n.Axis, str], ...] = ()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The branches that the plan may read, in the order in which it asks for them."""
        found = (node.branch for tree in self.trees() for node in n.walk(tree)
                 if isinstance(node, n.Column))  # fmt: skip
        return tuple(dict.fromkeys([*found, *dict(self.carriers).values()]))


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


def _bound_output(name: str, output: Output, layout: Layout, schema: Schema) -> Output:
    def bound(node: n.Node) -> n.Node:
        return _bound(node, f"output {name!r}", layout, schema)

    if isinstance(output, Snapshot):
        columns = tuple((column, bound(node)) for column, node in output.columns)
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
    try:
        return _bound_tree(node, layout, schema)
    except FlavorframeError as error:
        raise type(error)(f"{where}: {error}") from None


@lru_cache(maxsize=1024)  # another plan of the session has most of its expressions in common
def _bound_tree(node: n.Node, layout: Layout, schema: Schema) -> n.Node:
    bound = bind(node, layout, schema)
    check_kinds(bound)
    return bound


def _carriers(plan: Plan, layout: Layout, schema: Schema) -> tuple[tuple[n.Axis, str], ...]:
    """Find a branch of each collection that the plan asks for, one that it reads anyway if any."""
    carriers: dict[n.Axis, str] = {}
    wanted: dict[n.Axis, None] = {}
    for top in (plan.selection.candidates, *plan.trees()):
        for part in n.parts(top):
            if isinstance(part, n.Column) and part.on != n.EVENT:
                carriers.setdefault(part.on, part.branch)
            elif isinstance(part, n.CollectionAxis):
                wanted[part] = None
    for axis in wanted:
        if axis not in carriers:
            carriers[axis] = carrier(axis, layout, schema)
    return tuple(carriers.items())
