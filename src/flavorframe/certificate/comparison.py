"""The differences between two partials of the same events."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flavorframe._planning.plan import region_of
from flavorframe.engines.partial import Chunk, Partial
from flavorframe.result import CutRow

ROUNDING = 1e-9
"""Relative difference that is allowed: mathematical libraries differ in their last digits."""


@dataclass(frozen=True)
class Disagreement:
    """Something that two engines do not agree on: ``kind`` is cut, histogram, snapshot or link.

    ``index`` is the row of the cutflow, of a cut; ``region`` is empty where there is one selection.
    """

    kind: str
    name: str
    values: tuple[str, str]
    index: int = -1
    region: str = ""


def disagreements(first: Partial, second: Partial) -> list[Disagreement]:
    """Return the differences, cuts first and in their order."""
    others = (*_histograms(first, second), *_snapshots(first, second), *_links(first, second))
    return [
        *_cuts(first, second),
        *(replace(each, region=region_of(each.name, first.regions)) for each in others),
    ]


def _cuts(first: Partial, second: Partial) -> Iterator[Disagreement]:
    others = second.cutflows
    for region, flow in first.cutflows.items():
        for index, (a, b) in enumerate(zip(flow, others[region], strict=True)):
            values = _differing_counts(a, b, flow.categories)
            if values is not None:
                yield Disagreement("cut", a.name, values, index, region)


def _differing_counts(a: CutRow, b: CutRow, categories: Sequence[str]) -> tuple[str, str] | None:
    """Return what differs between two rows of cutflows; None where they agree."""
    if (a.events, a.candidates) != (b.events, b.candidates):
        return _counted(a), _counted(b)
    if a.categories != b.categories:
        names = (*categories, "several")
        first, second = (
            ", ".join(f"{count:,} in {name}" for name, count in zip(names, row, strict=True))
            for row in (a.categories, b.categories)
        )
        return first, second
    if not _weights_agree(a, b):
        return f"sum of weights {a.sumw_candidates!r}", f"{b.sumw_candidates!r}"
    return None


def _counted(row: CutRow) -> str:
    events, candidates = (
        f"{number:,} {what}{'s' * (number != 1)}"
        for number, what in ((row.events, "event"), (row.candidates, "candidate"))
    )
    return f"{events}, {candidates}"


def _weights_agree(a: CutRow, b: CutRow) -> bool:
    size = math.sqrt(max(a.sumw2_candidates or 0.0, b.sumw2_candidates or 0.0))
    pairs = [
        (a.sumw_events, b.sumw_events),
        (a.sumw_candidates, b.sumw_candidates),
        (a.sumw2_candidates, b.sumw2_candidates),
    ]
    return all(
        (x is None) == (y is None) and (x is None or y is None or _close(x, y, size))
        for x, y in pairs
    )


def _close(x: float, y: float, size: float = 0.0) -> bool:
    both_nan = math.isnan(x) and math.isnan(y)
    return both_nan or x == y or abs(x - y) <= ROUNDING * (abs(x) + abs(y) + size)


def _histograms(first: Partial, second: Partial) -> Iterator[Disagreement]:
    for name, a in first.histograms.items():
        x, y = a.view(flow=True), second.histograms[name].view(flow=True)
        differing = _differing_bins(x, y)
        if differing:
            bins = f"{differing} of {x.size} bins"
            yield Disagreement("histogram", name, (bins, bins))


def _differing_bins(x: Any, y: Any) -> int:
    if x.dtype.names is None:
        return int((x != y).sum())
    scale = np.sqrt(np.maximum(x["variance"], y["variance"]))
    close = np.ones(x.shape, bool)
    for field in ("value", "variance"):
        a, b = x[field], y[field]
        allowed = ROUNDING * (np.abs(a) + np.abs(b) + scale)
        close &= (a == b) | (np.abs(a - b) <= allowed) | (np.isnan(a) & np.isnan(b))
    return int((~close).sum())


def _snapshots(first: Partial, second: Partial) -> Iterator[Disagreement]:
    for name, chunks in first.tables.items():
        a, b = _joined(chunks), _joined(second.tables[name])
        sizes = _rows(a), _rows(b)
        if sizes[0] != sizes[1]:
            yield Disagreement("snapshot", name, (f"{sizes[0]} rows", f"{sizes[1]} rows"))
            continue
        wrong = [column for column in a if not _same_values(a[column], b[column])]
        if wrong:
            values = f"columns {', '.join(wrong)}"
            yield Disagreement("snapshot", name, (values, values))


def _joined(chunks: Sequence[Chunk]) -> Chunk:
    filled = [chunk for chunk in chunks if _rows(chunk)]
    if not filled:
        return {}
    return {name: np.concatenate([chunk[name] for chunk in filled]) for name in filled[0]}


def _rows(chunk: Chunk) -> int:
    return len(next(iter(chunk.values()))) if chunk else 0


def _same_values(a: Any, b: Any) -> bool:
    if a.dtype.kind != "f" and b.dtype.kind != "f":
        return bool((a == b).all())
    return bool(np.isclose(a, b, rtol=ROUNDING, atol=ROUNDING, equal_nan=True).all())


def _links(first: Partial, second: Partial) -> Iterator[Disagreement]:
    for name in dict.fromkeys([*first.links, *second.links]):
        a, b = first.links.get(name, (0, 0, 0)), second.links.get(name, (0, 0, 0))
        if a != b:
            yield Disagreement("link", name, (str(a), str(b)))
