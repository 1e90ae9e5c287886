"""How often links by value find an element: counted once, where the analysis first follows one."""

from __future__ import annotations

from collections.abc import Sequence

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import formula
from flavorframe.engines._rdataframe.codegen.body import Body
from flavorframe.engines._rdataframe.codegen.deferred import written
from flavorframe.engines._rdataframe.codegen.translate import match_arguments


class LinkCounts:
    """Knows which links are counted already."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def count(self, body: Body, trees: Sequence[n.Node]) -> list[str]:
        """Add loops that count links of the trees, if not counted yet; return their formulas."""
        names = []
        for tree in trees:
            for node in n.walk(tree):
                if isinstance(node, n.Match) and formula(node) not in self._seen:
                    self._seen.add(formula(node))
                    names.append(formula(node))
                    body.count_link(_counting(body, node))
        return names


def _counting(body: Body, node: n.Match) -> str:
    """Return the C++ that counts into ``link`` for every element that follows the link."""
    view = "alive" if node in body.setting.depending else "full"
    if node.axis == n.EVENT:
        scope, opening = body.event(view), ""
    else:
        scope = body.scope(node.axis, view, body.name("i"))
        opening = f"for (flavorframe::Integer {scope.element} : {body.elements(node.axis, view)}) "
    found = written(match_arguments(node, scope))
    lines = scope.lines if node.axis != n.EVENT else []
    counted = f"link.add(flavorframe::matches_of({found}).number);"
    return f"{opening}{{ {' '.join([*lines, counted])} }}"
