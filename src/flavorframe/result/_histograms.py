"""Histograms of a result: as users hold them, added up, and as ROOT reads them.

An axis of variations, if there is one, is the first; then comes one of categories. In the overflow
of the latter are the candidates that are in none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flavorframe.outputs import CATEGORY, VARIATION
from flavorframe.result.mean import FIELDS, Mean

if TYPE_CHECKING:
    from flavorframe.outputs import Histogram, HistogramAxis

MOST_AXES = 3
"""Of a histogram that has a form in ROOT: TH1, TH2 or TH3."""


def as_hist(filled: Sequence[Any], output: Histogram, variations: Sequence[str] = ()) -> Any:
    """Return a filled histogram as a ``hist.Hist`` with the names and labels of its axes.

    Args:
        filled: The histogram, or several: nominally, then in each variation.
        output: What was declared.
        variations: What the variations are called, the nominal one first; empty if there is one.
    """
    import hist

    axes = hist_axes(output.axes, variations)
    views = [as_declared(each.view(flow=True), output.axes) for each in filled]
    result = hist.Hist(*axes, storage=filled[0].storage_type())
    view = result.view(flow=True)
    for i, each in enumerate(views):
        view[i if variations else ...] = each
    return result


def hist_axes(declared: Sequence[HistogramAxis], variations: Sequence[str]) -> list[Any]:
    """Return the axes of a histogram, with one of variations first if there are any."""
    import hist

    axes = [_axis(axis) for axis in declared]
    if not variations:
        return axes
    named = {"name": VARIATION, "label": VARIATION, "overflow": False}
    return [hist.axis.StrCategory(list(variations), **named), *axes]


def _axis(axis: HistogramAxis) -> Any:
    import hist

    named = {"name": axis.name, "label": axis.label}
    if axis.categories:
        return hist.axis.StrCategory(list(axis.categories), **named)
    if axis.regular:
        return hist.axis.Regular(len(axis.edges) - 1, axis.edges[0], axis.edges[-1], **named)
    return hist.axis.Variable(axis.edges, **named)


def as_declared(view: Any, axes: Sequence[HistogramAxis]) -> Any:
    """Return sums by bin without the underflow of categories, which have none."""
    return view[tuple(slice(1 if axis.categories else 0, None) for axis in axes)]


def added(a: Any, b: Any) -> Any:
    """Return the sum of two histograms; unlike a + b it still says that counts have variances."""
    total = a.copy()
    total.view(flow=True)[...] = (a + b).view(flow=True)
    return total


def is_varied(value: Any) -> bool:
    """Return whether an output is a histogram with an axis of variations."""
    return bool(labels_of(value, VARIATION))


def labels_of(value: Any, axis: str) -> list[str]:
    """Return what the variations, or the categories, of an output are called; empty without."""
    found = (each for each in getattr(value, "axes", ()) if each.name == axis)
    # A quantity of the user's may have the same name: its axis has numbers.
    return next((list(each) for each in found if each.traits.discrete), [])


def varied(value: Any, label: str) -> Any:
    """Return an output in a variation: histograms lose their axis of variations."""
    return _chosen(value, VARIATION, label) if is_varied(value) else value


def _chosen(value: Any, axis: str, label: str) -> Any:
    """Return what is in one bin of an axis; a mean that has no other axis is a `Mean`."""
    found = value[{axis: label}]
    return found if hasattr(found, "axes") else Mean(*(getattr(found, name) for name in FIELDS))


def by_category(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a histogram by the name of each of its categories; one without, by an empty name."""
    categories = labels_of(value, CATEGORY)
    if not categories:
        yield "", value
    for category in categories:
        yield category, _chosen(value, CATEGORY, category)


def write_histograms(outputs: Mapping[str, Any], path: Path) -> None:
    """Write the histograms among the outputs of a result to a ROOT file.

    That of a region is in a folder of the region's name, that of a category is ``mass_barrel``, and
    in a variation ``mass_muon_ID_up``. Where two would have one name, as of the categories "η < 1"
    and "η > 1", a number is added to the later one.
    """
    import hist
    import uproot

    taken: set[str] = set()
    with uproot.recreate(path) as file:
        for name, value in outputs.items():
            if not isinstance(value, hist.Hist):
                continue
            for wanted, histogram in _plain(name.replace(".", "/"), value):
                if isinstance(histogram, hist.Hist) and len(histogram.axes) <= MOST_AXES:
                    key = _free(wanted, taken)
                    taken.add(key)
                    file[key] = _as_root(histogram, key.rsplit("/", 1)[-1])


def _free(name: str, taken: Collection[str]) -> str:
    numbered = (f"{name}_{i}" for i in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def _plain(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a histogram for each category and variation, with a name that ROOT takes."""
    for label in labels_of(value, VARIATION) or ["nominal"]:
        for category, histogram in by_category(varied(value, label)):
            shift = "" if label == "nominal" else label
            whole = " ".join(filter(None, (name, category, shift)))
            yield "".join(c if c.isalnum() or c in "_/" else "_" for c in whole), histogram


def _as_root(histogram: Any, title: str) -> Any:
    """Return the histogram in a storage that ROOT knows: whole numbers become doubles."""
    import hist

    counts = histogram.storage_type is hist.storage.Int64
    storage = hist.storage.Double() if counts else histogram.storage_type()
    copy = hist.Hist(*histogram.axes, storage=storage, name=histogram.name or title)
    copy.view(flow=True)[...] = histogram.view(flow=True)
    return copy
