"""What a stack plot shows: the histogram of data, and those of simulation in its luminosity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from flavorframe.errors import AnalysisError, did_you_mean
from flavorframe.outputs import CATEGORY
from flavorframe.result._histograms import added, is_varied, varied
from flavorframe.result.scaling import scaled
from flavorframe.result.variations import Variations

if TYPE_CHECKING:
    from flavorframe.result.results import Results


@dataclass(frozen=True)
class Stack:
    """Histograms of one axis; ``simulation`` is by title, ``luminosity`` in fb⁻¹.

    ``systematic`` is how far the sum of simulation goes below and above by its variations, of shape
    (bins,) each; None where nothing is varied.
    """

    data: Any | None
    simulation: Mapping[str, Any]
    luminosity: float
    systematic: tuple[Any, Any] | None = None


def stack_of(
    results: Results, output: str, luminosity: float | None, titles: Mapping[str, str]
) -> Stack:
    """Return what is drawn of an output of some results; see `Results.stack`."""
    data, simulation = results.data, results.simulation
    for name in titles:
        if name not in simulation:
            raise AnalysisError(
                f"titles: there is no simulation {name!r}.{did_you_mean(name, simulation)} There "
                f"are {', '.join(simulation)}."
            )
    if not simulation:
        raise AnalysisError(
            f"There is no simulation to stack among {', '.join(results)}: simulation has the type "
            "'mc' in the catalogue."
        )
    reached = _luminosity(data) if luminosity is None else luminosity
    stacked: dict[str, Any] = {}
    whole = {name: scaled(result, reached)[output] for name, result in simulation.items()}
    for name, each in whole.items():
        histogram = _of_one_axis(output, each)
        title = titles.get(name, name)
        stacked[title] = added(stacked[title], histogram) if title in stacked else histogram
    points = [_of_one_axis(output, each[output]) for each in data.values()]
    shown = reduce(added, points) if points else None
    return Stack(shown, stacked, reached, _systematic([*whole.values()]))


def _systematic(simulation: Sequence[Any]) -> tuple[Any, Any] | None:
    """Return what the variations do to the sum: what has one source moves all together."""
    if not all(map(is_varied, simulation)):
        return None
    return Variations(_without_categories(reduce(added, simulation))).quadrature()


def _luminosity(data: Results) -> float:
    if not data:
        raise AnalysisError("There are no data: say luminosity= [fb⁻¹], to which to scale.")
    for name, result in data.items():
        if result.luminosity is None:
            raise AnalysisError(
                f"The luminosity of {name} is not known: give 'lumi' [fb⁻¹] in the catalogue, or "
                "luminosity= here."
            )
    return sum(result.luminosity or 0.0 for result in data.values())


def _of_one_axis(output: str, histogram: Any) -> Any:
    """Return a histogram as it is nominally, of all categories together."""
    found = _without_categories(varied(histogram, "nominal"))
    if len(found.axes) != 1:
        raise AnalysisError(
            f"Histogram {output!r} has {len(found.axes)} axes, and a stack is drawn of one."
        )
    return found


def _without_categories(histogram: Any) -> Any:
    """Return a histogram with all its categories together."""
    for axis in histogram.axes:
        if axis.name == CATEGORY:
            return histogram[{CATEGORY: slice(0, len(axis), sum)}]
    return histogram
