"""Counts of candidates by category for the cutflow, as histograms that are filled at each step."""

from __future__ import annotations

import math

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe.engines._rdataframe.codegen.totals import Array, Bins, Totals
from flavorframe.outputs import Histogram, HistogramAxis

CATEGORY, FITTING = "category", "fitting"


def counted_by(category: n.Category, candidates: n.Axis) -> dict[str, Histogram]:
    """Return what is filled: the category, and how many categories a candidate does not fit."""
    unfit: n.Node = n.Literal(0)
    for condition in category.conditions:  # alone, its category is 1 where it does not hold
        unfit = n.Apply("add", (unfit, n.Category(("",), (condition,))))
    return {
        CATEGORY: _filled(category, candidates, len(category.names)),
        FITTING: _filled(unfit, candidates, len(category.names) + 1),
    }


def _filled(node: n.Node, candidates: n.Axis, bins: int) -> Histogram:
    """Return a histogram of whole numbers, with an entry for each candidate."""
    edges = tuple(float(edge) for edge in range(bins + 1))
    axes = [HistogramAxis(node, edges, True, "", "")]
    if node.axis != candidates:  # one value an event, which counts for each candidate
        axes.append(HistogramAxis(n.Position(candidates), (0.0, math.inf), False, "", ""))
    return Histogram(tuple(axes))


def counts_in(places: Totals, found: Array) -> tuple[int, ...]:
    """Return how many candidates are in each category, and at last how many fit several."""
    by_category, by_unfit = (_counts(bins, found) for bins in places.bins)
    return (*by_category, sum(by_unfit[: len(by_category) - 1]))


def _counts(bins: Bins, found: Array) -> list[int]:
    counts = np.rint(found[bins.offset : bins.end]).astype(int).reshape(bins.shape)
    inside: list[int] = counts.reshape(bins.shape[0], -1).sum(axis=1)[1:-1].tolist()
    return inside
