"""What a stack plot shows: the histogram of data, and those of simulation in its luminosity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from flavorframe.errors import AnalysisError, did_you_mean
from flavorframe.result._histograms import added
from flavorframe.result.scaling import scaled

if TYPE_CHECKING:
    from flavorframe.result.results import Results


@dataclass(frozen=True)
class Stack:
    """Histograms of one axis; ``simulation`` is by title, ``luminosity`` in fb⁻¹."""

    data: Any | None
    simulation: Mapping[str, Any]
    luminosity: float


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
    for name, result in simulation.items():
        title, histogram = titles.get(name, name), scaled(result, reached)[output]
        stacked[title] = added(stacked[title], histogram) if title in stacked else histogram
    points = reduce(added, (each[output] for each in data.values())) if data else None
    _require_one_axis(output, next(iter(stacked.values())))
    return Stack(points, stacked, reached)


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


def _require_one_axis(output: str, histogram: Any) -> None:
    if len(histogram.axes) != 1:
        raise AnalysisError(
            f"Histogram {output!r} has {len(histogram.axes)} axes, and a stack is drawn of one."
        )
