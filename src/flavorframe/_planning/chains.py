"""The chains of steps of a plan: to each region, also as variations move it, and to each N−1.

Chains that begin with the same steps go the same way up to where they part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from flavorframe._expr import nodes as n
from flavorframe._expr.variations import Variation, shifted
from flavorframe._planning.plan import Plan, in_region, varied_name
from flavorframe._planning.rewriting import rewritten
from flavorframe.outputs import Histogram, Output, Snapshot
from flavorframe.selection import Best, Cut, Selection, Step, Weight
from flavorframe.skims import Skim

T = TypeVar("T")


@dataclass(frozen=True)
class Filled:
    """An output at the end of a chain, by the name that partials give it.

    ``variation`` is that in which the weights are taken, where the chain has several.
    """

    name: str
    output: Output
    variation: Variation | None = None


@dataclass(frozen=True)
class Chain:
    """Steps from all candidates to those that outputs are made of; nothing in it is varied.

    ``is_main`` says whether it is a region's own chain, which has its cutflow and counts its links.
    """

    region: str
    candidates: n.Axis
    steps: tuple[Step, ...]
    filled: tuple[Filled, ...]
    is_weighted: bool
    is_main: bool
    category: n.Category | None = None

    @cached_property
    def trees(self) -> tuple[n.Node, ...]:
        """Every expression that is evaluated on the way, in order."""
        steps = (node for step in self.steps for node in nodes_of(step))
        outputs = (node for filled in self.filled for node in filled.output.nodes)
        category = () if self.category is None else (self.category,)
        return (*steps, *outputs, *category)

    @property
    def weight_variations(self) -> tuple[Variation, ...]:
        """The variations of its weights."""
        weights = (step for step in self.steps if isinstance(step, Weight))
        return tuple(dict.fromkeys(v for step in weights for v, _ in step.varied))

    @cached_property
    def branches(self) -> frozenset[str]:
        """The branches that may be read on the way, of a bound plan."""
        parts = {part for top in (self.candidates, *self.trees) for part in n.parts(top)}
        columns = {part.branch for part in parts if isinstance(part, n.Column)}
        skims = (filled.output for filled in self.filled if isinstance(filled.output, Skim))
        return frozenset(columns | {kept.branch for skim in skims for kept in skim.kept})

    def common_steps(self, other: Chain) -> int:
        """Return how many steps another chain can go along with this one; −1 for none at all."""
        if other.candidates != self.candidates or other.is_weighted != self.is_weighted:
            return -1
        if other.is_main and (not self.is_main or other.category is not self.category):
            return -1
        pairs = zip(self.steps, other.steps, strict=False)
        number = 0
        for mine, yours in pairs:
            if not _goes_along(yours, mine):
                break
            number += 1
        return number


def nodes_of(step: Step) -> tuple[n.Node, ...]:
    """Return what is evaluated in a step."""
    varied = (node for _, node in step.varied) if isinstance(step, Weight) else ()
    return (step.node, *varied)


def _goes_along(step: Step, other: Step) -> bool:
    """Return whether a step does what another does, or less: no weights in variations."""
    if isinstance(step, Weight):
        same = isinstance(other, Weight) and step.node is other.node
        return same and step.varied in ((), getattr(other, "varied", ()))
    if isinstance(step, Best):
        return step == other
    return isinstance(other, Cut) and step.node is other.node


def chains_of(plan: Plan, declared: Plan) -> tuple[Chain, ...]:
    """Return the chains of a plan, the regions' own before the others.

    ``declared`` says which variations there are: in a bound plan what the sample decides is gone.
    """
    pairs = zip(plan.parts, declared.parts, strict=True)
    chains = [
        chain
        for (region, part), (_, declared_part) in pairs
        for chain in _chains(region, part, declared_part.variations)
    ]
    return tuple(sorted(chains, key=lambda chain: not chain.is_main))


def _chains(region: str, plan: Plan, variations: Sequence[Variation]) -> Iterator[Chain]:
    moving = [variation for variation in variations if plan.moves(variation)]
    at_the_end = [variation for variation in variations if variation not in moving]
    yield _chain(region, plan, None, at_the_end, None)
    for without in left_out(plan):
        yield _chain(region, plan, None, at_the_end, without)
    for variation in moving:
        for cut in (None, *left_out(plan)):
            chain = _chain(region, plan, variation, (), cut)
            if chain.filled:
                yield chain


@dataclass(frozen=True)
class SinglePlan:
    """A plan of one region in which nothing is varied, for engines that know no chains.

    ``weights_only`` is the name of a snapshot and of the column that its weights are to become;
    otherwise a plan of a variation has the histograms of it.
    """

    region: str
    variation: Variation | None
    plan: Plan
    weights_only: tuple[str, str] | None = None


def single_plans(plan: Plan) -> Iterator[SinglePlan]:
    """Yield plans that together give all of a plan: each region nominally, and its variations."""
    tallies = plan.tallies  # are of all events, whatever the region
    for region, part in plan.parts:
        outputs = tuple((name, in_variation(output, None)) for name, output in part.outputs)
        yield SinglePlan(region, None, replace(_single(part, None, outputs), tallies=tallies))
        tallies = ()
        for variation in part.variations:
            varied = tuple(
                (name, in_variation(output, variation))
                for name, output in part.outputs
                if isinstance(output, Histogram)
            )
            yield SinglePlan(region, variation, _single(part, variation, varied))
        for name, output in outputs:
            if isinstance(output, Snapshot):
                first = output.columns[:1]  # says on which axis the rows are
                alone = replace(output, columns=first, path=None, varied_weights=())
                for column, variation in output.varied_weights:
                    single = _single(part, None, ((name, alone),), weights=variation)
                    yield SinglePlan(region, variation, single, (name, column))


def _single(
    plan: Plan,
    variation: Variation | None,
    outputs: tuple[tuple[str, Output], ...],
    *,
    weights: Variation | None = None,
) -> Plan:
    def change(step: Step) -> Step:
        of_weights = weights if isinstance(step, Weight) else None
        return in_variation(step, of_weights or variation)

    declared = plan.selection
    candidates = shifted(declared.candidates, variation)
    selection = replace(declared, candidates=candidates, steps=tuple(map(change, declared.steps)))
    is_nominal = variation is None and weights is None
    category = shifted(plan.category, None) if plan.category and is_nominal else None
    return Plan(selection, outputs, category, layout=plan.layout, friends=plan.friends)


def left_out(plan: Plan) -> list[str]:
    """Return the cuts that N−1 histograms leave out."""
    cuts = (o.without for _, o in plan.outputs if isinstance(o, Histogram))
    return list(dict.fromkeys(cut for cut in cuts if cut is not None))


def _chain(
    region: str,
    plan: Plan,
    variation: Variation | None,
    at_the_end: Sequence[Variation],
    without: str | None,
) -> Chain:
    selection = _selection_in(plan, variation)
    if without is not None:
        selection = selection.without(without)
    is_main = variation is None and without is None
    filled = [
        Filled(
            in_region(region, varied_name(name, v)),
            in_variation(output, v),
            None if variation else v,
        )
        for name, output in plan.outputs
        for v in ((variation,) if variation else (None, *at_the_end))
        if _is_filled(output, v, without)
    ]
    category = None if plan.category is None or not is_main else shifted(plan.category, None)
    return Chain(
        region, selection.candidates, selection.steps, tuple(filled), plan.is_weighted, is_main,
        category,
    )  # fmt: skip


def _is_filled(output: Output, variation: Variation | None, without: str | None) -> bool:
    if isinstance(output, Histogram):
        return output.without == without
    return variation is None and without is None


def _selection_in(plan: Plan, variation: Variation | None) -> Selection:
    """Return the selection in a variation; nominally, weights have their variations beside them."""
    selection = in_variation(plan.selection, variation)
    if variation is not None:
        return selection
    pairs = zip(selection.steps, plan.selection.steps, strict=True)
    return replace(selection, steps=tuple(_with_variations(*pair, plan) for pair in pairs))


def _with_variations(step: Step, declared: Step, plan: Plan) -> Step:
    if not isinstance(step, Weight):
        return step
    others = ((v, shifted(declared.node, v)) for v in plan.variations)
    return replace(step, varied=tuple((v, o) for v, o in others if o is not step.node))


def in_variation(value: T, variation: Variation | None) -> T:
    """Return a selection or an output as it is in a variation, or nominally for None."""
    return rewritten(value, lambda tree: shifted(tree, variation))
