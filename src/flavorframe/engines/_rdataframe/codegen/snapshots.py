"""The C++ that writes the rows of snapshots: each value is a word of 64 bits.

Of each event come the fingerprint of its file's name, where its thread began to read and the
event's number, then the kinds of the columns whose type only the compiler knows, then the words of
its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.kinds import kind_of, type_of_constant
from flavorframe._expr.reductions import REDUCTIONS
from flavorframe._planning.plan import Plan
from flavorframe.engines._rdataframe.codegen.body import Body
from flavorframe.engines._rdataframe.codegen.loops import loop
from flavorframe.errors import AnalysisError
from flavorframe.layouts import Schema
from flavorframe.outputs import Snapshot

Type = np.dtype[Any]
Types = Mapping[n.Node, Type | None]

REAL, WHOLE, UNSIGNED, TRUTH = map(np.dtype, (np.float64, np.int64, np.uint64, bool))
UNKNOWN = np.dtype("V8")
"""The type of what a user's C++ function returns, until the compiler has seen it."""
KINDS = (TRUTH, TRUTH, WHOLE, UNSIGNED, REAL)
"""Types by the kinds that `flavorframe::kind_number` gives; the first is that of no rows at all.

Without rows it is the type that gives way to any other, where there are rows of other files.
"""


def header_size(types: Iterable[Type]) -> int:
    """Return how many words come before the rows of an event, of which columns have these types."""
    return 3 + sum(kind == UNKNOWN for kind in types)


def rows_of(plan: Plan, body: Body, snapshot: Snapshot, schema: Schema) -> list[str]:
    """Return the lines that write an event's rows as words."""
    axis = _rows_axis(plan, snapshot)
    scope, opening, weight = loop(plan, body, axis, weighted=plan.is_weighted)
    header, written = ["file", "first", "entry"], []
    for name, node in snapshot.columns:
        kind, value = column_type(name, node, schema), scope.value(node)
        if kind == UNKNOWN:
            written.append(f"flavorframe::push_with_kind(rows, {len(header)}, {value});")
            header.append("0")
        else:
            written.append(f"rows.push_back({_word(kind, value)});")
    if plan.is_weighted:
        written.append(f"rows.push_back({_word(REAL, weight)});")
    lines = scope.lines if axis != n.EVENT else []
    return [
        f"ROOT::RVec<flavorframe::Integer> rows{{{', '.join(header)}}};",
        f"{opening}{{ {' '.join([*lines, *written])} }}",
        "return rows;",
    ]


def column_types(plan: Plan, snapshot: Snapshot, schema: Schema) -> dict[str, Type]:
    """Return the types of a snapshot's columns."""
    types = {name: column_type(name, node, schema) for name, node in snapshot.columns}
    return types | ({"weight": REAL} if plan.is_weighted else {})


def column_type(name: str, node: n.Node, schema: Schema) -> Type:
    """Return the type of a column: as stored where it is copied, NaN standing for missing."""
    kind = _type_of(node, schema)
    if kind is None:
        raise AnalysisError(
            f"Snapshot column {name!r} is a string; snapshots hold numbers and truth values."
        )
    return REAL if n.may_be_missing(node) else kind


def _rows_axis(plan: Plan, snapshot: Snapshot) -> n.Axis:
    axis = n.join_axes(snapshot.nodes)
    return plan.selection.candidates if axis == n.EVENT else axis


def _word(kind: Type, value: str) -> str:
    if kind.kind == "f":
        return f"flavorframe::word(flavorframe::as_double({value}))"
    return f"flavorframe::as_integer({value})"


def _type_of(node: n.Node, schema: Schema) -> Type | None:
    """Return the type of a node's values, None for strings."""
    types: dict[n.Node, Type | None] = {}
    for each in n.walk(node):
        types[each] = _type_from(each, types, schema)
    return types[node]


def _type_from(node: n.Node, types: Types, schema: Schema) -> Type | None:
    if isinstance(node, n.Column):
        return stored_type(node, schema)
    if isinstance(node, n.Constant):
        return None if isinstance(node.value, str) else type_of_constant(node.value)
    if isinstance(node, n.Take | n.Member | n.Inner | n.Gather):
        return types[node.operand]
    if isinstance(node, n.Chain) and len({types[operand] for operand in node.operands}) == 1:
        return types[node.operands[0]]
    if isinstance(node, n.Reduce) and REDUCTIONS[node.reduction].keeps_stored_type:
        return types[node.operand]
    return _TYPES[kind_of(node)]


_TYPES: dict[str, Type | None] = {
    "bool": TRUTH, "int": WHOLE, "unsigned": UNSIGNED, "float": REAL, "string": None, "": UNKNOWN,
}  # fmt: skip


_STORED = re.compile(r"\b(?:(u?)int(8|16|32|64)_t|(float|Float16_t|double|bool))\b")


def stored_type(column: n.Column, schema: Schema) -> Type | None:
    """Return the type that a branch is stored in, None for strings."""
    if column.kind == "string":
        return None
    found = _STORED.search(schema.by_name[column.branch].typename)
    if found is None:
        return _TYPES[column.kind]
    sign, bits, name = found.groups()
    if bits:
        return np.dtype(f"{'u' if sign else ''}int{bits}")
    return np.dtype(
        {"float": "float32", "Float16_t": "float32", "double": "float64", "bool": "bool"}[name]
    )
