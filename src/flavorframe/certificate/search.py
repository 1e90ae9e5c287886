"""Finding the events, and in them the candidates, on which two engines disagree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.formula import formula
from flavorframe._planning.chains import single_plans
from flavorframe._planning.plan import Plan, in_region, varied_name
from flavorframe.certificate._description import IDENTITY
from flavorframe.certificate.certificate import Candidate, Difference
from flavorframe.certificate.comparison import Disagreement, disagreements
from flavorframe.datasets import Partition
from flavorframe.engines import Engine
from flavorframe.errors import AnalysisError, FlavorframeError
from flavorframe.outputs import Histogram, Snapshot

COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"} | {
    f"between_{side}" for side in ("left", "right", "both", "none")
})  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two engines on the same plan; the first is the reference."""

    plan: Plan
    engines: tuple[Engine, Engine]

    def disagreements(self, part: Partition) -> list[Disagreement]:
        """Return the differences between the two on the events of a partition."""
        first, second = (engine.evaluate(self.plan, part) for engine in self.engines)
        return disagreements(first, second)

    def rows(self, plan: Plan, part: Partition) -> list[dict[str, list[Any]]]:
        """Return the rows that each engine makes of a plan with one snapshot, ``rows``."""
        tables = []
        for engine in self.engines:
            chunk = engine.evaluate(plan, part).tables["rows"][0]
            tables.append({name: values.tolist() for name, values in chunk.items()})
        return tables


def find(pair: Pair, part: Partition, most: int) -> Iterator[Difference]:
    """Yield differences in a partition, event by event, at most so many events.

    Sums over many events may differ although no single event does: then the whole partition is
    reported.
    """
    found = False
    for number, event in enumerate(_events(pair, part)):
        if number == most:
            return
        found = True
        yield from _explained(pair, event)
    if not found:
        for item in pair.disagreements(part):
            yield _difference(pair, part, item, entry=None)


def _events(pair: Pair, part: Partition) -> Iterator[Partition]:
    """Yield the events that differ, as partitions of one event, by halving."""
    if not pair.disagreements(part):
        return
    if len(part) == 1:
        yield part
        return
    middle = (part.start + part.stop) // 2
    yield from _events(pair, replace(part, stop=middle))
    yield from _events(pair, replace(part, start=middle))


def _explained(pair: Pair, event: Partition) -> Iterator[Difference]:
    """Yield the differences in an event: of each region the first cut, or else all outputs."""
    by_region: dict[str, list[Disagreement]] = {}
    for item in pair.disagreements(event):
        by_region.setdefault(item.region, []).append(item)
    for items in by_region.values():
        cuts = [item for item in items if item.kind == "cut"]
        for item in cuts[:1] or items:
            yield replace(
                _difference(pair, event, item, entry=event.start),
                identity=_identity(pair, event),
                candidates=tuple(_candidates(_own(pair, item), event, item)),
            )


def _own(pair: Pair, item: Disagreement) -> Pair:
    """Return the engines on the region and variation in which something differs."""
    singles = [each for each in single_plans(pair.plan) if each.region == item.region]
    for single in singles:
        names = [varied_name(name, single.variation) for name, _ in single.plan.outputs]
        if single.weights_only is None and item.name in (in_region(item.region, n) for n in names):
            return Pair(single.plan, pair.engines)
    return Pair(singles[0].plan, pair.engines)


def _difference(pair: Pair, part: Partition, item: Disagreement, entry: int | None) -> Difference:
    names = tuple(engine.name for engine in pair.engines)
    return Difference(
        item.kind, item.name, _formula(pair.plan, item), part.file, part.tree,
        (part.start, part.stop) if entry is None else (entry, entry + 1),
        dict(zip(names, item.values, strict=True)) if names[0] != names[1]
        else {f"{names[0]} (1)": item.values[0], f"{names[1]} (2)": item.values[1]},
        region=item.region,
    )  # fmt: skip


def _formula(plan: Plan, item: Disagreement) -> str:
    steps = dict(plan.parts)[item.region].selection.steps
    return formula(steps[item.index - 1].node) if item.index > 0 else ""


def _identity(pair: Pair, event: Partition) -> dict[str, int]:
    """Return run, luminosity block and event, as far as the file has them."""
    found = {}
    for name in IDENTITY:
        node = n.Field(n.EVENT, (name,))
        try:
            rows = pair.rows(_probe(pair.plan, 0, {name: node}, n.EVENT), event)
        except FlavorframeError:  # the file has no such branch
            continue
        found[name] = int(rows[0][name][0])
    return found


def _candidates(pair: Pair, event: Partition, item: Disagreement) -> Iterator[Candidate]:
    """Yield the candidates that were left before the cut and on which the two disagree.

    Where the difference is not in a cut, all selected candidates are reported.
    """
    axis = pair.plan.selection.candidates
    steps = len(pair.plan.selection.steps) if item.index < 0 else max(item.index - 1, 0)
    columns = _columns(pair, event, item, steps)
    position: dict[str, n.Node] = {} if axis == n.EVENT else {"candidate": n.Position(axis)}
    before = pair.rows(_probe(pair.plan, steps, position | columns, axis), event)
    kept = [set(_places(rows)) for rows in _after(pair, event, item, position, columns)]
    by_place = [dict(zip(_places(rows), _by_row(rows, columns), strict=True)) for rows in before]
    for place in sorted(set(by_place[0]) | set(by_place[1])):
        verdicts = tuple(place in names for names in kept)
        if item.index > 0 and verdicts[0] == verdicts[1]:
            continue
        values = {
            formula(node): tuple(rows[place][name] if place in rows else None for rows in by_place)
            for name, node in columns.items()
        }
        yield Candidate(place if position else None, verdicts, values)


def _after(
    pair: Pair, event: Partition, item: Disagreement,
    position: dict[str, n.Node], columns: dict[str, n.Node],
) -> list[dict[str, list[Any]]]:  # fmt: skip
    axis = pair.plan.selection.candidates
    steps = len(pair.plan.selection.steps) if item.index < 0 else item.index
    return pair.rows(_probe(pair.plan, steps, position or columns, axis), event)


def _places(rows: dict[str, list[Any]]) -> list[int]:
    return rows.get("candidate", list(range(len(next(iter(rows.values()))))))


def _by_row(rows: dict[str, list[Any]], columns: dict[str, n.Node]) -> list[dict[str, Any]]:
    number = len(next(iter(rows.values())))
    return [{name: rows[name][i] for name in columns} for i in range(number)]


def _probe(plan: Plan, steps: int, columns: dict[str, n.Node], axis: n.Axis) -> Plan:
    """Return the plan up to a step, with these columns of what is left."""
    selection = replace(plan.selection, candidates=axis, steps=plan.selection.steps[:steps])
    outputs = (("rows", Snapshot(tuple(columns.items()))),)
    return replace(
        plan, selection=selection, outputs=outputs, category=None, regions=(), tallies=()
    )


def _columns(pair: Pair, event: Partition, item: Disagreement, steps: int) -> dict[str, n.Node]:
    """Return the columns of a cut or output, and what it compares, if snapshots can hold them."""
    axis = pair.plan.selection.candidates
    nodes = dict.fromkeys(
        node for tree in _trees(pair.plan, item) for node in _compared_in(tree)
        if node.axis in (n.EVENT, axis)
    )  # fmt: skip
    columns: dict[str, n.Node] = {}
    for node in nodes:
        name = f"column{len(columns)}"
        if _fits_a_snapshot(pair, _probe(pair.plan, steps, {name: node}, axis), event):
            columns[name] = node
    return columns


def _fits_a_snapshot(pair: Pair, plan: Plan, event: Partition) -> bool:
    try:
        pair.rows(plan, event)
    except AnalysisError:  # a snapshot cannot hold strings
        return False
    return True


def _trees(plan: Plan, item: Disagreement) -> list[n.Node]:
    if item.index > 0:
        return [plan.selection.steps[item.index - 1].node]
    named = {in_region(item.region, name): output for name, output in plan.outputs}
    output = named.get(item.name.split(" [", 1)[0])
    return list(output.nodes) if isinstance(output, Histogram | Snapshot) else []


def _compared_in(tree: n.Node) -> Iterator[n.Node]:
    """Yield the fields of an expression, and what it compares with numbers."""
    with_defaults = {node.operand for node in n.walk(tree) if isinstance(node, n.Default)}
    names = (node for node in n.walk(tree) if isinstance(node, n.Field | n.Branch | n.Default))
    yield from (node for node in names if node not in with_defaults)
    for node in n.walk(tree):
        if isinstance(node, n.Apply) and node.operation in COMPARISONS:
            yield from (a for a in node.arguments if not isinstance(a, n.Literal))
