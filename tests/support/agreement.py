"""Compare what an engine makes of an analysis with what the oracle says."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe.analysis import Analysis
from flavorframe.datasets import Partition
from flavorframe.engines import Engine, Partial
from flavorframe.layouts import Layout
from flavorframe.outputs import Histogram, Snapshot
from flavorframe.result import Result
from support import oracle

ROUNDED = {
    "mass", "mass_of_components", "angle", "delta_r", "delta_phi", "sin", "cos", "sinh", "cosh",
    "arctan2", "arcsinh", "exp", "log", "hypot", "power",
}  # fmt: skip
"""Operations whose last digit depends on the mathematical library."""

ROUNDING = 1e-9
SUMMING = 1e-12


def run(
    engine: Engine,
    analysis: Analysis,
    file: str,
    start: int = 0,
    stop: int | None = None,
    *,
    layout: Layout | None = None,
) -> Partial:
    """Return what the engine makes of the events start ≤ i < stop of a file."""
    plan = replace(analysis.plan, layout=layout)
    opened = engine.prepare(plan, file, None)
    stop = opened.events if stop is None else stop
    part = Partition(file, opened.tree, start, stop, 0)
    return engine.empty(plan) + engine.evaluate(plan, part)


def assert_right(
    engine: Engine,
    analysis: Analysis,
    file: str,
    start: int = 0,
    stop: int | None = None,
    *,
    layout: Layout | None = None,
) -> oracle.Answer:
    """Fail where the engine and the oracle disagree; return the oracle's answer."""
    answer = oracle.evaluate(analysis, oracle.open_file(str(file)), start, stop)
    found = run(engine, analysis, str(file), start, stop, layout=layout)
    assert_agree(analysis, found, answer)
    return answer


def assert_agree(analysis: Analysis, found: Partial | Result, answer: oracle.Answer) -> None:
    """Fail where counts, bins or rows differ, or sums of weights by more than their rounding."""
    _compare_cutflow(analysis, found, answer)
    assert_histograms_agree(analysis, found, answer)
    for name, output in analysis.outputs:
        if isinstance(output, Snapshot):
            chunks = [found[name].columns] if isinstance(found, Result) else found.tables[name]
            _compare_rows(name, output, chunks, answer.snapshots[name])


def assert_histograms_agree(
    analysis: Analysis, found: Partial | Result, answer: oracle.Answer
) -> None:
    """Fail where bins differ, or sums of weights in them by more than their rounding."""
    for name, output in analysis.outputs:
        if isinstance(output, Histogram):
            histogram = found[name] if isinstance(found, Result) else found.histograms[name]
            weighted = analysis.selection.is_weighted or output.weight is not None
            _compare_bins(name, histogram, answer.histograms[name], weighted=weighted)


def _compare_cutflow(analysis: Analysis, found: Partial | Result, answer: oracle.Answer) -> None:
    seen = [(row.name, row.events, row.candidates) for row in found.cutflow]
    assert seen == [(row.name, row.events, row.candidates) for row in answer.cutflow]
    assert [row.categories for row in found.cutflow] == [row.categories for row in answer.cutflow]
    for row, expected in zip(found.cutflow, answer.cutflow, strict=True):
        if not analysis.selection.is_weighted:
            assert row.sumw_candidates is None
            continue
        assert (row.sumw_events is None) == (expected.sumw_events is None), row
        if row.sumw_events is not None:
            assert _sums_agree(row.sumw_events, expected.sumw_events, expected.size), row
        assert _sums_agree(row.sumw_candidates, expected.sumw_candidates, expected.size), row
        size = expected.sumw2_candidates
        assert _sums_agree(row.sumw2_candidates, expected.sumw2_candidates, size), row


def _compare_bins(
    name: str, histogram: Any, bins: dict[Any, oracle.Bin], *, weighted: bool
) -> None:
    view = histogram.view(flow=True)
    counts = view["value"] if weighted else view
    filled = np.argwhere(counts != 0) - 1
    if not weighted:
        seen = {tuple(map(int, place)): int(counts[tuple(place + 1)]) for place in filled}
        assert seen == {place: entry.entries for place, entry in bins.items()}, name
        return
    assert {tuple(map(int, place)) for place in filled} <= set(bins), name
    for place, entry in bins.items():
        inside = view[tuple(i + 1 for i in place)]
        assert _sums_agree(inside["value"], entry.sumw, entry.size), (name, place)
        assert _sums_agree(inside["variance"], entry.sumw2, entry.sumw2), (name, place)


def _compare_rows(name: str, output: Snapshot, chunks: Any, expected: dict[str, list[Any]]) -> None:
    nodes = dict(output.columns)
    for chunk in chunks:
        assert list(chunk) == list(expected), name
    for column, values in expected.items():
        seen = [value for chunk in chunks for value in chunk[column].tolist()]
        assert len(seen) == len(values), (name, column)
        rounded = column == "weight" or (column in nodes and _is_rounded(nodes[column]))
        for row, (a, b) in enumerate(zip(seen, values, strict=True)):
            assert _values_agree(a, b, rounded=rounded), (name, column, row, a, b)


def _is_rounded(node: n.Node) -> bool:
    return any(isinstance(part, n.Apply) and part.operation in ROUNDED for part in n.walk(node))


def _values_agree(a: Any, b: Any, *, rounded: bool) -> bool:
    if a != a or b != b:
        return bool(a != a and b != b)
    b = float(b) if isinstance(a, float) else b  # as a column of reals has a whole number
    return bool(a == b or (rounded and math.isclose(a, b, rel_tol=ROUNDING, abs_tol=ROUNDING)))


def _sums_agree(a: float, b: float | None, size: float) -> bool:
    assert b is not None
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return bool(a == b or abs(a - b) <= SUMMING * size)
