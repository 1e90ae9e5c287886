"""What each name of an analysis stands for in a file: only files that agree are added up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import formula
from flavorframe._expr.kinds import kind_of
from flavorframe._planning.plan import Plan
from flavorframe._planning.skimming import branches_of
from flavorframe._rootio.schema import Schema
from flavorframe.errors import BranchError
from flavorframe.layouts import Layout, bind

WORDS = {"bool": "truth value", "string": "string"}


@lru_cache(maxsize=32)
def meanings(plan: Plan, layout: Layout, schema: Schema) -> tuple[tuple[str, str], ...]:
    """Return the names of a plan that fits the file, each with what it stands for.

    For example ``("triplet.mass", "a list of numbers in each event")``. The units of the file are
    among them.
    """
    names = dict.fromkeys(node for node in _nodes(plan) if _is_name(node))
    asked = {default.operand: default for default in _defaults(plan)}
    found = {}
    for name in names:
        with suppress(BranchError):  # the sample decides that it is not needed: the plan fits
            found[formula(name)] = _meaning(bind(asked.get(name, name), layout, schema))
    for _, skim in plan.skims:
        for branch in branches_of(skim, schema):
            found[branch.name] = _held(branch.kind, is_one=branch.shape == "scalar")
    units = (
        ("the unit of energy", layout.units.energy),
        ("the unit of length", layout.units.length),
    )
    return *units, *found.items()


@lru_cache(maxsize=32)
def lacking(plan: Plan, layout: Layout, schema: Schema) -> tuple[str, ...]:
    """Return what a plan has default values for that the file lacks, with these values.

    For example ``("muon.mva_id.default(0)",)``.
    """
    return tuple(
        formula(default)
        for default in dict.fromkeys(_defaults(plan))
        if not isinstance(default.operand, n.SampleValue)
        and any(isinstance(node, n.Constant) for node in n.walk(bind(default, layout, schema)))
    )


def _nodes(plan: Plan) -> Iterator[n.Node]:
    candidates = (n.Position(part.selection.candidates) for _, part in plan.parts)
    for tree in (*plan.trees(), *candidates):
        yield from n.walk(tree)


def _defaults(plan: Plan) -> Iterator[n.Default]:
    return (node for node in _nodes(plan) if isinstance(node, n.Default))


def _is_name(node: n.Node) -> bool:
    return isinstance(node, n.Branch) or (isinstance(node, n.Field) and bool(node.path))


def _meaning(bound: n.Node) -> str:
    return _held(kind_of(bound), is_one=bound.axis == n.EVENT)


def _held(kind: str, *, is_one: bool) -> str:
    word = WORDS.get(kind, "number")
    return f"{f'one {word}' if is_one else f'a list of {word}s'} in each event"
