"""Print an expression as the formula that a physicist would write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, singledispatch
from string import Formatter

from flavorframe._expr import nodes as n
from flavorframe._expr.kinds import LOGIC, kind_of
from flavorframe._expr.operations import OPERATIONS, Operation
from flavorframe._expr.ropes import (
    Rope,
    Text,
    after,
    first,
    joined,
    last_name,
    put,
    shortened,
    written,
)

ATOM = 100
ASSOCIATIVE = (10, 15, 20, 32, 34, 36, 50, 60)
"""The precedences of operations that need no brackets among themselves."""
SHALLOW = 64
"""Up to this height formulas are told whole in messages, unless they are long."""
NEAR = 6
"""Of others so many levels are told."""

Texts = Mapping[n.Part, Text]


@lru_cache(maxsize=1024)  # each run tells those of all its cuts
def formula(part: n.Part) -> str:
    """Return the formula of a node, or the name of an axis.

    Of one that is longer than `ropes.LONGEST` the middle is replaced by a digest of the whole.

    >>> muon = n.CollectionAxis("muon")
    >>> pt = n.Field(muon, ("pt",))
    >>> formula(n.Apply("between_left", (pt, n.Literal(2.0), n.Literal(3.5))))
    '2 ≤ muon.pt < 3.5'
    """
    texts: dict[n.Part, Text] = {}
    for each in n.parts(part):
        texts[each] = _text(each, texts)
    return written(texts[part])


def brief(part: n.Part) -> str:
    """Return the formula as messages tell it: what is very deep or long is left out.

    >>> total = n.Literal(0)
    >>> for i in range(99):
    ...     total = n.Apply("add", (total, n.Literal(i)))
    >>> brief(total)
    '… + 94 + 95 + 96 + 97 + 98'
    """
    if part.height <= SHALLOW:
        return shortened(formula(part))
    texts: dict[n.Part, Text] = {}
    for each in sorted(_near(part), key=lambda near: near.height):
        known = all(inner in texts for inner in _told_of(each))
        texts[each] = _text(each, texts) if known else "…"
    return shortened(written(texts[part]))


def _told_of(part: n.Part) -> Iterator[n.Part]:
    """Yield the parts whose texts that of a part may be made of."""
    for inner in part.inside:
        yield inner
        yield from inner.inside if isinstance(inner, n.Axis) else ()


def _near(top: n.Part) -> set[n.Part]:
    """Return the parts a few steps below one, and what is in them if it is little."""
    near, level = set[n.Part](), {top}
    for _ in range(NEAR):
        near |= level
        level = {inner for outer in level for inner in outer.inside}
        near.update(inner for part in level if part.height <= NEAR for inner in n.parts(part))
    return near


@singledispatch
def _text(part: n.Part, texts: Texts) -> Text:
    """Return the formula of a part; ``texts`` are those of the parts inside."""
    raise NotImplementedError(type(part))


@_text.register
def _(axis: n.Axis, texts: Texts) -> Text:
    return axis.name


@_text.register
def _(axis: n.Subset, texts: Texts) -> Text:
    return put(texts[axis.parent], "[", texts[axis.mask], "]")


@_text.register
def _(axis: n.Combination, texts: Texts) -> Text:
    word = {2: "pairs", 3: "triples"}[len(axis.parents)]
    unique = tuple(dict.fromkeys(axis.parents))
    names = [texts[parent] for parent in (unique if len(unique) == 1 else axis.parents)]
    return put(f"{word}(", joined(", ", names), ")")


@_text.register
def _(node: n.Literal, texts: Texts) -> Text:
    if isinstance(node.value, bool):
        return str(node.value).lower()
    if isinstance(node.value, str):
        return repr(node.value)
    text = f"{node.value:.12g}" if isinstance(node.value, float) else str(node.value)
    return text.replace("-", "−")


@_text.register
def _(node: n.Field, texts: Texts) -> Text:
    if node.on == n.EVENT:
        return ".".join(node.path) or "event"
    return put(texts[node.on], *(f".{name}" for name in node.path))


@_text.register
def _(node: n.Branch, texts: Texts) -> Text:
    return node.branch


@_text.register
def _(node: n.Column, texts: Texts) -> Text:
    return node.branch


@_text.register
def _(node: n.Fired, texts: Texts) -> Text:
    return f"{' or '.join(node.patterns)} fired"


@_text.register
def _(node: n.Apply, texts: Texts) -> Text:
    if node.operation in _RECORD_FUNCTIONS:
        return _RECORD_FUNCTIONS[node.operation](node.arguments, texts)
    operation = _operation(node)
    closed = operation.precedence == ATOM
    inside = 0 if closed else operation.precedence
    wrapped = [_wrapped(a, texts, inside, last=i > 0) for i, a in enumerate(node.arguments)]
    pieces: list[Text] = []
    for between, place, _, _ in Formatter().parse(operation.template):
        pieces += [between] if place is None else [between, wrapped[int(place)]]
    return put(*pieces)


def _wrapped(node: n.Node, texts: Texts, precedence: int, *, last: bool) -> Text:
    own = _operation(node).precedence if isinstance(node, n.Apply) else ATOM
    loose = own <= precedence if last and own not in ASSOCIATIVE else own < precedence
    return put("(", texts[node], ")") if loose else texts[node]


def _operation(node: n.Apply) -> Operation:
    """Return the operation as far as it is known: logic where one side is a truth value."""
    logic = LOGIC.get(node.operation, "") if kind_of(node) == "bool" else ""
    return OPERATIONS[logic or node.operation]


@_text.register
def _(node: n.IsIn, texts: Texts) -> Text:
    return put(texts[node.operand], f" ∈ {{{', '.join(map(str, node.values))}}}")


@_text.register
def _(node: n.StringTest, texts: Texts) -> Text:
    return put(texts[node.operand], f" {node.test} {' or '.join(map(repr, node.patterns))}")


@_text.register
def _(node: n.Reduce, texts: Texts) -> Text:
    if node.reduction == "size":
        counted = node.operand
        if isinstance(counted, n.Position):
            return put("count(", texts[counted.on], ")")
        return put("length(", texts[counted], ")")
    return put(f"{node.reduction}(", texts[node.operand], ")")


@_text.register
def _(node: n.Take, texts: Texts) -> Text:
    inner = texts[node.operand]
    rest = after(texts[node.subset.parent], inner)
    if rest is not None:
        return put(texts[node.subset], rest)
    return put(inner, " where ", texts[node.subset.mask])


@_text.register
def _(node: n.Member, texts: Texts) -> Text:
    inner = texts[node.operand]
    parent = texts[node.combination.parents[node.position]]
    rest = after(parent, inner)
    return put(parent, _SUBSCRIPTS[node.position], inner if rest is None else rest)


@_text.register
def _(node: n.Position, texts: Texts) -> Text:
    return put("index(", texts[node.on], ")")


@_text.register
def _(node: n.Match, texts: Texts) -> Text:
    pairs = zip(node.keys, node.values, strict=True)
    keys = joined(", ", [put(last_name(texts[k]), " = ", texts[v]) for k, v in pairs])
    return put(texts[node.target], ".match(", keys, ")")


@_text.register
def _(node: n.Gather, texts: Texts) -> Text:
    inner = texts[node.operand]
    rest = after(texts[node.target], inner)
    known = rest is not None and first(rest, 1) in ("", ".", "[")
    return put(_link(node, texts), *([rest] if known and rest is not None else [".", inner]))


@_text.register
def _(node: n.Found, texts: Texts) -> Text:
    return put(_link(node, texts), " exists")


@_text.register
def _(node: n.CallFunction, texts: Texts) -> Text:
    return put(f"{node.function.name}(", joined(", ", [texts[a] for a in node.arguments]), ")")


@_text.register
def _(node: n.CallCorrection, texts: Texts) -> Text:
    pairs = zip(node.correction.inputs, node.arguments, strict=True)
    inputs = joined(", ", [put(f"{name} = ", texts[a]) for name, a in pairs])
    return put(f"{node.correction.name}(", inputs, ")")


def _link(node: n.Gather | n.Found, texts: Texts) -> Text:
    index = texts[node.index]
    if isinstance(node.index, n.Match):
        return index
    return put(texts[node.target], ".at(", index, ")")


def _record(arguments: tuple[n.Node, ...], texts: Texts) -> Text:
    """Name the object that the arguments are fields of, or list them."""
    listed = [texts[a] for a in arguments if not isinstance(a, n.Literal)]
    owners = {"" if isinstance(text, Rope) else text.rpartition(".")[0] for text in listed}
    if len(owners) == 1 and "" not in owners:
        return owners.pop()
    return put("(", joined(", ", listed), ")")


def _records(name: str, *sizes: int) -> Callable[[tuple[n.Node, ...], Texts], Text]:
    """Return a printer of functions of groups of fields; the last size repeats."""

    def text(arguments: tuple[n.Node, ...], texts: Texts) -> Text:
        groups: list[Text] = []
        rest, left = arguments, list(sizes)
        while rest:
            size = left.pop(0) if len(left) > 1 else left[0]
            groups.append(_record(rest[:size], texts))
            rest = rest[size:]
        return put(f"{name}(", joined(", ", groups), ")")

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
