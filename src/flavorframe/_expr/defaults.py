"""Values that stand in for what a file lacks: where they may be, and of which kind."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.objects import at_innermost, value_of
from flavorframe.errors import ExpressionError


def with_default(node: n.Node, value: n.Value) -> n.Node:
    """Return the node with a value for files that lack what it takes from them.

    Raises ExpressionError where it is computed, and so lacks nothing, or the kinds do not go.
    """

    def default(of: n.Node) -> n.Node:
        if isinstance(of, n.Chain):
            return n.Chain(tuple(with_default(o, value) for o in of.operands), of.concatenation)
        if not isinstance(of, n.Field | n.Branch | n.Fired | n.SampleValue):
            raise ExpressionError(
                f"{brief(of)}: .default() is for what may be lacking, a branch, a trigger path or "
                "a value of the sample. Put it there: x.default(0) + 1."
            )
        require_fitting(value_of(of), value, kind_of(of))
        return n.Default(of, value)

    found = at_innermost(node, default)
    assert found is not None
    return found


def require_fitting(node: n.Node, value: n.Value, kind: str) -> None:
    """Raise ExpressionError where a default value is not of the kind of what it stands in for."""
    own = kind_of(n.Literal(value))
    fitting = _FITTING.get(kind)
    if fitting is not None and (own not in fitting[1] or (kind == "unsigned" and value < 0)):  # type: ignore[operator]
        raise ExpressionError(
            f"{brief(n.Default(node, value))}: {brief(node)} holds {fitting[0]}, and the value in "
            f"its place must be one as well, not {value!r}."
        )


_FITTING = {
    "bool": ("truth values", ("bool",)),
    "string": ("strings", ("string",)),
    "int": ("whole numbers", ("int", "unsigned")),
    "unsigned": ("whole numbers without a sign", ("int", "unsigned")),
    "float": ("decimal numbers", ("int", "unsigned", "float")),
}
"""What values of each kind are called, and the kinds of constants that go with them."""
