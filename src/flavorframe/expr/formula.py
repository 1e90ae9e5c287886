"""Print an expression as the formula that a physicist would write."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, singledispatch

from flavorframe.expr import nodes as n
from flavorframe.expr.kinds import LOGIC, kind_of
from flavorframe.expr.operations import OPERATIONS, Operation

ATOM = 100
ASSOCIATIVE = (10, 15, 20, 32, 34, 36, 50, 60)
"""The precedences of operations that need no brackets among themselves."""


@lru_cache(maxsize=1024)  # each run tells those of all its cuts
def formula(node: n.Node) -> str:
    """Return the formula of the node.

    >>> muon = n.CollectionAxis("muon")
    >>> pt = n.Field(muon, ("pt",))
    >>> formula(n.Apply("between_left", (pt, n.Literal(2.0), n.Literal(3.5))))
    '2 ≤ muon.pt < 3.5'
    """
    return _text(node)


@singledispatch
def _text(node: n.Node) -> str:
    raise NotImplementedError(type(node))


@_text.register
def _(node: n.Literal) -> str:
    if isinstance(node.value, bool):
        return str(node.value).lower()
    if isinstance(node.value, str):
        return repr(node.value)
    text = f"{node.value:.12g}" if isinstance(node.value, float) else str(node.value)
    return text.replace("-", "−")


@_text.register
def _(node: n.Field) -> str:
    start = () if node.on == n.EVENT else (node.on.name,)
    return ".".join((*start, *node.path)) or "event"


@_text.register
def _(node: n.Branch) -> str:
    return node.branch


@_text.register
def _(node: n.Column) -> str:
    return node.branch


@_text.register
def _(node: n.Fired) -> str:
    return f"{' or '.join(node.patterns)} fired"


@_text.register
def _(node: n.Apply) -> str:
    if node.operation in _RECORD_FUNCTIONS:
        return _RECORD_FUNCTIONS[node.operation](node.arguments)
    operation = _operation(node)
    closed = operation.precedence == ATOM
    inside = 0 if closed else operation.precedence
    return operation.template.format(
        *(_wrapped(a, inside, last=i > 0) for i, a in enumerate(node.arguments))
    )


def _wrapped(node: n.Node, precedence: int, *, last: bool) -> str:
    own = _operation(node).precedence if isinstance(node, n.Apply) else ATOM
    loose = own <= precedence if last and own not in ASSOCIATIVE else own < precedence
    return f"({_text(node)})" if loose else _text(node)


def _operation(node: n.Apply) -> Operation:
    """Return the operation as far as it is known: logic where one side is a truth value."""
    logic = LOGIC.get(node.operation, "") if kind_of(node) == "bool" else ""
    return OPERATIONS[logic or node.operation]


@_text.register
def _(node: n.IsIn) -> str:
    return f"{_text(node.operand)} ∈ {{{', '.join(map(str, node.values))}}}"


@_text.register
def _(node: n.StringTest) -> str:
    return f"{_text(node.operand)} {node.test} {' or '.join(map(repr, node.patterns))}"


@_text.register
def _(node: n.Reduce) -> str:
    if node.reduction == "size":
        counted = node.operand
        of_all = isinstance(counted, n.Position)
        return f"count({counted.axis.name})" if of_all else f"length({_text(counted)})"
    return f"{node.reduction}({_text(node.operand)})"


@_text.register
def _(node: n.Take) -> str:
    inner = _text(node.operand)
    parent = node.subset.parent.name
    if inner.startswith(parent):
        return node.subset.name + inner[len(parent) :]
    return f"{inner} where {_text(node.subset.mask)}"


@_text.register
def _(node: n.Member) -> str:
    inner = _text(node.operand)
    parent = node.combination.parents[node.position].name
    return f"{parent}{_SUBSCRIPTS[node.position]}{inner.removeprefix(parent)}"


@_text.register
def _(node: n.Position) -> str:
    return f"index({node.on.name})"


@_text.register
def _(node: n.Match) -> str:
    pairs = zip(node.keys, node.values, strict=True)
    keys = ", ".join(f"{_text(k).rpartition('.')[2]} = {_text(v)}" for k, v in pairs)
    return f"{node.target.name}.match({keys})"


@_text.register
def _(node: n.Gather) -> str:
    inner, name = _text(node.operand), node.target.name
    rest = inner[len(name) :] if inner.startswith((f"{name}.", f"{name}[")) else f".{inner}"
    return _link(node.target, node.index) + ("" if inner == name else rest)


@_text.register
def _(node: n.Found) -> str:
    return f"{_link(node.target, node.index)} exists"


@_text.register
def _(node: n.CallFunction) -> str:
    return f"{node.function.name}({', '.join(map(_text, node.arguments))})"


@_text.register
def _(node: n.CallCorrection) -> str:
    pairs = zip(node.correction.inputs, node.arguments, strict=True)
    return f"{node.correction.name}({', '.join(f'{k} = {_text(v)}' for k, v in pairs)})"


def _link(target: n.Axis, index: n.Node) -> str:
    return _text(index) if isinstance(index, n.Match) else f"{target.name}.at({_text(index)})"


def _record(arguments: tuple[n.Node, ...]) -> str:
    """Name the object that the arguments are fields of, or list them."""
    texts = [_text(a) for a in arguments if not isinstance(a, n.Literal)]
    owners = {text.rpartition(".")[0] for text in texts}
    if len(owners) == 1 and "" not in owners:
        return owners.pop()
    return f"({', '.join(texts)})"


def _records(name: str, *sizes: int) -> Callable[[tuple[n.Node, ...]], str]:
    """Return a printer of functions of groups of fields; the last size repeats."""

    def text(arguments: tuple[n.Node, ...]) -> str:
        groups, rest, left = [], arguments, list(sizes)
        while rest:
            size = left.pop(0) if len(left) > 1 else left[0]
            groups.append(_record(rest[:size]))
            rest = rest[size:]
        return f"{name}({', '.join(groups)})"

    return text


_SUBSCRIPTS = ("₁", "₂", "₃")
_RECORD_FUNCTIONS = {
    "delta_r": _records("ΔR", 2),
    "delta_phi": _records("Δφ", 1),
    "mass": _records("m", 4),
    "transverse_mass": _records("mT", 2),
    "cos2d": _records("cos2D", 2),
    "cos3d": _records("cos3D", 3),
}
