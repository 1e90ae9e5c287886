"""The loop in which outputs are computed: over candidates, over other elements, or none."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._planning.plan import Plan
from flavorframe.engines._rdataframe.codegen.body import Body
from flavorframe.engines._rdataframe.codegen.scope import Scope
from flavorframe.errors import AnalysisError
from flavorframe.selection import Best, Weight


def loop(plan: Plan, body: Body, axis: n.Axis, *, weighted: bool) -> tuple[Scope, str, str]:
    """Return where values on the axis are computed, the loop over it, and an element's weight."""
    candidates = plan.selection.candidates
    if axis == candidates and axis != n.EVENT:
        scope = body.scope(axis, "alive", body.name("i"))
        scope.lines.append(f"const flavorframe::Integer {scope.element} = s.candidates[k];")
        opening = "for (std::size_t k = 0; k < s.candidates.size(); ++k) "
        return scope, opening, "s.weight_of(k)" if weighted else "1.0"
    if weighted:
        _check_weighable(plan, axis)
    weight = "s.weight_of_event()" if weighted else "1.0"
    if axis == n.EVENT:
        return body.event("alive"), "", weight
    scope = body.scope(axis, "alive", body.name("i"))
    elements = body.elements(axis, "alive")
    return scope, f"for (flavorframe::Integer {scope.element} : {elements}) ", weight


def _check_weighable(plan: Plan, axis: n.Axis) -> None:
    steps = plan.selection.steps
    weighs = any(isinstance(s, Weight) and s.node.axis != n.EVENT for s in steps)
    if weighs and not any(isinstance(step, Best) for step in steps):
        raise AnalysisError(
            f"Candidates have weights, and a quantity per {axis.name} has none where an event "
            "has several candidates: choose one with .best(), or weigh events."
        )
