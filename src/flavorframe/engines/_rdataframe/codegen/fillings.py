"""Histograms and snapshots in C++: loops that fill ledgers, and rows of 64-bit words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.reductions import REDUCTIONS
from flavorframe._planning.plan import Plan
from flavorframe.engines._rdataframe.codegen.body import Body, Scope
from flavorframe.engines._rdataframe.codegen.ledger import Bins, Ledger, bins_of
from flavorframe.engines._rdataframe.codegen.literals import floating
from flavorframe.errors import AnalysisError
from flavorframe.layouts import Schema
from flavorframe.outputs import Histogram, HistogramAxis, Snapshot
from flavorframe.selection import Best, Weight

HEADER = 2
"""Words before the rows of an event: the file's number and the event's."""

Types = Mapping[n.Node, np.dtype[Any] | None]

REAL, WHOLE, UNSIGNED, TRUTH = map(np.dtype, (np.float64, np.int64, np.uint64, bool))


# Histograms


def fill_histograms(
    plan: Plan, body: Body, histograms: Mapping[str, Histogram], notes: tuple[str, ...]
) -> tuple[Ledger, list[str]]:
    """Return where the bins are, and the lines that fill them into ``next.entries``."""
    bins: list[Bins] = []
    lines: list[str] = []
    for name, histogram in histograms.items():
        weighted = plan.is_weighted or histogram.weight is not None
        offset = bins[-1].end if bins else 0
        bins.append(bins_of(name, histogram, offset, weighted=weighted))
        lines.append(_filling(plan, body, histogram, bins[-1]))
    return Ledger(bins=tuple(bins), notes=notes), lines


def _filling(plan: Plan, body: Body, histogram: Histogram, bins: Bins) -> str:
    axis = n.join_axes(histogram.nodes)
    scope, opening, weight = _loop(plan, body, axis, weighted=plan.is_weighted)
    values = [_bin(a, scope.value(a.node)) for a in histogram.axes]
    if histogram.weight is not None:
        weight = f"{weight} * flavorframe::as_double({scope.value(histogram.weight)})"
    strides = [int(np.prod(bins.shape[i + 1 :])) for i in range(len(bins.shape))]
    place = " + ".join(f"{stride} * {v}" for stride, v in zip(strides, values, strict=True))
    filled = [f"const flavorframe::Integer place = {bins.offset} + {place};"]
    if bins.weighted:
        filled.append(f"const double weight = {weight};")
        filled.append("next.entries.add(place, weight);")
        filled.append(f"next.entries.add(place + {bins.cells}, weight * weight);")
    else:
        filled.append("next.entries.add(place, 1);")
    lines = scope.lines if axis != n.EVENT else []
    return f"{opening}{{ {' '.join([*lines, *filled])} }}"


def _bin(axis: HistogramAxis, value: str) -> str:
    x = f"flavorframe::as_double({value})"
    if axis.regular:
        low, high = floating(axis.edges[0]), floating(axis.edges[-1])
        return f"flavorframe::bin({x}, {len(axis.edges) - 1}, {low}, {high})"
    edges = ", ".join(map(floating, axis.edges))
    return f"flavorframe::bin({x}, std::array<double, {len(axis.edges)}>{{{edges}}})"


def _loop(plan: Plan, body: Body, axis: n.Axis, *, weighted: bool) -> tuple[Scope, str, str]:
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


# Snapshots


def rows_of(plan: Plan, body: Body, snapshot: Snapshot, schema: Schema) -> list[str]:
    """Return the lines that write an event's rows as words, after its file's and own number."""
    axis = _rows_axis(plan, snapshot)
    scope, opening, weight = _loop(plan, body, axis, weighted=plan.is_weighted)
    words = []
    for name, node in snapshot.columns:
        kind = column_type(name, node, schema)
        words.append(_word(kind, scope.value(node)))
    if plan.is_weighted:
        words.append(_word(REAL, weight))
    lines = scope.lines if axis != n.EVENT else []
    written = [f"rows.push_back({word});" for word in words]
    return [
        "ROOT::RVec<flavorframe::Integer> rows{file, entry};",
        f"{opening}{{ {' '.join([*lines, *written])} }}",
        "return rows;",
    ]


def column_types(plan: Plan, snapshot: Snapshot, schema: Schema) -> dict[str, np.dtype[Any]]:
    """Return the types of a snapshot's columns."""
    types = {name: column_type(name, node, schema) for name, node in snapshot.columns}
    return types | ({"weight": REAL} if plan.is_weighted else {})


def column_type(name: str, node: n.Node, schema: Schema) -> np.dtype[Any]:
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


def _word(kind: np.dtype[Any], value: str) -> str:
    if kind.kind == "f":
        return f"flavorframe::word(flavorframe::as_double({value}))"
    return f"flavorframe::as_integer({value})"


def _type_of(node: n.Node, schema: Schema) -> np.dtype[Any] | None:
    """Return the type of a node's values, None for strings."""
    types: dict[n.Node, np.dtype[Any] | None] = {}
    for each in n.walk(node):
        types[each] = _type_from(each, types, schema)
    return types[node]


def _type_from(node: n.Node, types: Types, schema: Schema) -> np.dtype[Any] | None:
    if isinstance(node, n.Column):
        return stored_type(node, schema)
    if isinstance(node, n.Take | n.Member | n.Gather):
        return types[node.operand]
    if isinstance(node, n.Reduce) and REDUCTIONS[node.reduction].keeps_stored_type:
        return types[node.operand]
    return _TYPES[kind_of(node)]


_TYPES: dict[str, np.dtype[Any] | None] = {
    "bool": TRUTH, "int": WHOLE, "unsigned": UNSIGNED, "float": REAL, "string": None, "": REAL,
}  # fmt: skip


_STORED = re.compile(r"\b(?:(u?)int(8|16|32|64)_t|(float|double|bool))\b")


def stored_type(column: n.Column, schema: Schema) -> np.dtype[Any] | None:
    """Return the type that a branch is stored in, None for strings."""
    if column.kind == "string":
        return None
    found = _STORED.search(schema.by_name[column.branch].typename)
    if found is None:
        return _TYPES[column.kind]
    sign, bits, name = found.groups()
    if bits:
        return np.dtype(f"{'u' if sign else ''}int{bits}")
    return np.dtype({"float": "float32", "double": "float64", "bool": "bool"}[name])
