"""What each name of an analysis stands for in a file: only files that agree are added up."""

from __future__ import annotations

from functools import lru_cache

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import formula
from flavorframe._planning.plan import Plan
from flavorframe._rootio.schema import Schema
from flavorframe.layouts import Layout, bind

WORDS = {"bool": "truth value", "string": "string"}


@lru_cache(maxsize=32)
def meanings(plan: Plan, layout: Layout, schema: Schema) -> tuple[tuple[str, str], ...]:
    """Return the names of a plan that fits the file, each with what it stands for.

    For example ``("triplet.mass", "a list of numbers in each event")``. The units of the file are
    among them.
    """
    trees = (*plan.trees(), n.Position(plan.selection.candidates))
    names = dict.fromkeys(node for tree in trees for node in n.walk(tree) if _is_name(node))
    units = (
        ("the unit of energy", layout.units.energy),
        ("the unit of length", layout.units.length),
    )
    bound = ((formula(name), _meaning(bind(name, layout, schema))) for name in names)
    return *units, *bound


def _is_name(node: n.Node) -> bool:
    return isinstance(node, n.Branch) or (isinstance(node, n.Field) and bool(node.path))


def _meaning(bound: n.Node) -> str:
    word = WORDS.get(_kind(bound), "number")
    held = f"one {word}" if bound.axis == n.EVENT else f"a list of {word}s"
    return f"{held} in each event"


def _kind(bound: n.Node) -> str:
    if isinstance(bound, n.Gather):
        return _kind(bound.operand)
    return bound.kind if isinstance(bound, n.Column) else "bool"  # a number that is tested
