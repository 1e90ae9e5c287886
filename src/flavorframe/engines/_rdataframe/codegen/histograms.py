"""The C++ that fills histograms: each bin is a place in the totals of a function."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._planning.plan import Plan
from flavorframe.engines._rdataframe.codegen.body import Body
from flavorframe.engines._rdataframe.codegen.literals import floating
from flavorframe.engines._rdataframe.codegen.loops import loop
from flavorframe.engines._rdataframe.codegen.totals import Bins, Totals, bins_of
from flavorframe.outputs import Histogram, HistogramAxis


def fill_histograms(
    plan: Plan, body: Body, histograms: Mapping[str, Histogram], links: tuple[str, ...],
    *, counting: bool = False,
) -> tuple[Totals, list[str]]:  # fmt: skip
    """Return where the bins are, and the lines that fill them into ``next.entries``.

    Where they are for ``counting``, the plan's weights do not matter.
    """
    bins: list[Bins] = []
    lines: list[str] = []
    for name, histogram in histograms.items():
        by_plan = plan.is_weighted and not counting
        weighted = by_plan or histogram.weight is not None
        offset = bins[-1].end if bins else 0
        bins.append(bins_of(name, histogram, offset, weighted=weighted))
        lines.append(_filling(plan, body, histogram, bins[-1], weighted=by_plan))
    return Totals(bins=tuple(bins), links=links), lines


def _filling(plan: Plan, body: Body, histogram: Histogram, bins: Bins, *, weighted: bool) -> str:
    axis = n.join_axes(histogram.nodes)
    scope, opening, weight = loop(plan, body, axis, weighted=weighted)
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
