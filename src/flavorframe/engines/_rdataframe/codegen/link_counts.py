"""How often links by value find an element: counted once, where the analysis first follows one."""

from __future__ import annotations

from collections.abc import Sequence

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import formula
from flavorframe.engines._rdataframe.codegen.body import Body
from flavorframe.engines._rdataframe.codegen.deferred import written
from flavorframe.engines._rdataframe.codegen.scope import Scope
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
    scope = body.event("alive" if node in body.setting.depending else "full")
    loops: list[tuple[Scope, str]] = []
    for axis in (n.outer_axis(node.axis), node.axis):
        if axis != n.EVENT:
            elements = written(scope.elements_of(axis))
            scope = scope.each(axis, scope.view)
            loops.append((scope, f"for (flavorframe::Integer {scope.element} : {elements})"))
    found = written(match_arguments(node, scope))
    code = f"link.add(flavorframe::matches_of({found}).number);"
    for each, opening in reversed(loops):
        code = f"{opening} {{ {' '.join([*each.lines, code])} }}"
    return code
