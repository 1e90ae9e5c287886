"""How links by value fare is counted once, where the analysis first asks for them."""

from __future__ import annotations

from collections.abc import Sequence

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import formula
from flavorframe.engines._rdataframe.codegen.body import Body
from flavorframe.engines._rdataframe.codegen.steps import finished
from flavorframe.engines._rdataframe.codegen.translate import sought


class LinkNotes:
    """Knows which links have been counted."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def take(self, body: Body, trees: Sequence[n.Node]) -> list[str]:
        """Add loops that count the trees' links that were not counted yet; return their names."""
        names = []
        for tree in trees:
            for node in n.walk(tree):
                if isinstance(node, n.Match) and formula(node) not in self._seen:
                    self._seen.add(formula(node))
                    names.append(formula(node))
                    body.note(_counting(body, node))
        return names


def _counting(body: Body, node: n.Match) -> str:
    """Return the C++ that counts a link for every element that asks, into ``note``."""
    view = "alive" if node in body.setting.depending else "full"
    if node.axis == n.EVENT:
        scope, opening = body.event(view), ""
    else:
        scope = body.scope(node.axis, view, body.name("i"))
        opening = f"for (flavorframe::Integer {scope.element} : {body.elements(node.axis, view)}) "
    found = finished(sought(node, scope))
    lines = scope.lines if node.axis != n.EVENT else []
    counted = f"note.add(flavorframe::matches_of({found}).number);"
    return f"{opening}{{ {' '.join([*lines, counted])} }}"
