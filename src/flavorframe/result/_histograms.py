"""Histograms of a result: as users hold them, added up, and as ROOT reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flavorframe.outputs import Histogram

MOST_AXES = 3
"""Of a histogram that has a form in ROOT: TH1, TH2 or TH3."""


def as_hist(filled: Any, output: Histogram) -> Any:
    """Return a filled histogram as a ``hist.Hist`` with the names and labels of its axes."""
    import hist

    axes = []
    for axis in output.axes:
        kind = hist.axis.Regular if axis.regular else hist.axis.Variable
        where = (len(axis.edges) - 1, axis.edges[0], axis.edges[-1]) if axis.regular else (
            axis.edges,
        )  # fmt: skip
        axes.append(kind(*where, name=axis.name, label=axis.label))
    result = hist.Hist(*axes, storage=filled.storage_type())
    result.view(flow=True)[...] = filled.view(flow=True)
    return result


def added(a: Any, b: Any) -> Any:
    """Return the sum of two histograms; unlike a + b it still says that counts have variances."""
    total = a.copy()
    total.view(flow=True)[...] = (a + b).view(flow=True)
    return total


def write_histograms(outputs: Mapping[str, Any], path: Path) -> None:
    """Write the histograms among the outputs of a result to a ROOT file."""
    import hist
    import uproot

    with uproot.recreate(path) as file:
        for name, value in outputs.items():
            if isinstance(value, hist.Hist) and len(value.axes) <= MOST_AXES:
                file[name] = _as_root(value, name)


def _as_root(histogram: Any, title: str) -> Any:
    """Return the histogram in a storage that ROOT knows: whole numbers become doubles."""
    import hist

    counts = histogram.storage_type is hist.storage.Int64
    storage = hist.storage.Double() if counts else histogram.storage_type()
    copy = hist.Hist(*histogram.axes, storage=storage, name=histogram.name or title)
    copy.view(flow=True)[...] = histogram.view(flow=True)
    return copy
