"""Simulation as it would be in data: scaled by cross-section, luminosity and sum of weights."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

from flavorframe._data_quality.generated import Generated
from flavorframe.errors import AnalysisError, did_you_mean

if TYPE_CHECKING:
    from flavorframe._run.outcome import Outcome
    from flavorframe.datasets import Dataset
    from flavorframe.result.result import Result

PB_PER_FB = 1000.0
"""Inverse picobarns in an inverse femtobarn."""


class ScaledHistograms(Mapping[str, Any]):
    """Histograms of simulation, scaled to a luminosity; also attributes: ``scaled.mass``.

    Attributes:
        factor: What they were multiplied by.
    """

    def __init__(self, histograms: Mapping[str, Any], factor: float) -> None:
        self._histograms, self.factor = dict(histograms), factor

    def __getitem__(self, name: str) -> Any:
        if name not in self._histograms:
            raise AnalysisError(
                f"There is no histogram {name!r}.{did_you_mean(name, self._histograms)} There are "
                f"{', '.join(self._histograms) or 'none'}."
            )
        return self._histograms[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except AnalysisError as error:
            raise AttributeError(str(error)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._histograms)

    def __len__(self) -> int:
        return len(self._histograms)

    def __contains__(self, name: object) -> bool:
        return name in self._histograms

    def __repr__(self) -> str:
        return f"{', '.join(self._histograms) or 'no histogram'}, times {self.factor:.6g}"


def generated_of(dataset: Dataset, outcome: Outcome, fraction: float) -> Generated | None:
    """Return what was generated of the events that were read; None where it is not known.

    Of files that were read in part it is the share of their events, and of what the catalogue tells
    of all files, the ``fraction`` that was read.
    """
    told = dataset.meta.get("sumw")
    if isinstance(told, int | float):
        events = dataset.meta.get("generated_events")
        return Generated(float(told), events, "the catalogue").share(fraction)
    missing = _missing_of(outcome)
    shares = [
        info.generated.share(1 - missing[info.file] / max(info.events, 1))
        for info in outcome.files
        if info.generated is not None
    ]
    if not shares or len(shares) < len(outcome.files):
        return None
    return reduce(operator.add, shares)


def scaled(result: Result, luminosity: float) -> ScaledHistograms:
    """Return the histograms of a result as they would be in data; see `Result.scaled`."""
    import hist

    if not luminosity >= 0 or math.isinf(luminosity):
        raise AnalysisError(f"luminosity={luminosity!r} should be a number [fb⁻¹], zero or more.")
    factor = _cross_section(result) * PB_PER_FB * luminosity / _sum_of_weights(result)
    histograms = {
        name: h
        for name, h in result.outputs.items()
        if isinstance(h, hist.Hist) and h.kind == "COUNT"
    }
    return ScaledHistograms({name: times(h, factor) for name, h in histograms.items()}, factor)


def times(histogram: Any, factor: float) -> Any:
    """Return a histogram times a number, with weighted storage."""
    import hist

    found = hist.Hist(*histogram.axes, storage=hist.storage.Weight(), name=histogram.name)
    view = found.view(flow=True)
    view.value = factor * histogram.values(flow=True)
    view.variance = factor**2 * histogram.variances(flow=True)
    return found


def _missing_of(outcome: Outcome) -> dict[str, int]:
    """Return how many events of each file that was opened were not read, or left out."""
    events = {info.file: info.events for info in outcome.files}
    missing = dict.fromkeys(events, 0) | left_out_of(outcome)
    for gap in outcome.gaps:
        if gap.file in events:
            stop = events[gap.file] if gap.stop is None else gap.stop
            missing[gap.file] += stop - gap.start
    return missing


def left_out_of(outcome: Outcome) -> dict[str, int]:
    """Return how many events of files that were opened are left out as copies of others."""
    opened = {info.file for info in outcome.files}
    return {each.file: len(each) for each in outcome.dataset.left_out if each.file in opened}


def _cross_section(result: Result) -> float:
    name, dataset = result.dataset.name, result.dataset
    if dataset.kind == "data":
        raise AnalysisError(f"{name} is data: only simulation is scaled to a luminosity.")
    found = dataset.meta.get("cross_section")
    if not isinstance(found, int | float):
        raise AnalysisError(
            f"{name} has no cross-section: give it as 'xsec' [pb] in the catalogue."
        )
    return float(found)


def _sum_of_weights(result: Result) -> float:
    name, generated = result.dataset.name, result.generated
    if generated is None:
        raise AnalysisError(
            f"{name}: the sum of generator weights is not known: its files have no "
            "Runs/genEventSumw. Give 'sumw' in the catalogue: the sum, or the branch or histogram "
            "in which each file has it, such as 'Events/genWeight' or 'weights/sum'."
        )
    if not generated.weights > 0:
        raise AnalysisError(
            f"{name}: the {generated!r} is not positive, so nothing can be scaled by it. With "
            "weights of both signs a small sample can have that: take more of it."
        )
    unit = generated.events is None or math.isclose(generated.weights, generated.events)
    if not unit and not any(flow.weighted for flow in result.cutflows.values()):
        warnings.warn(
            f"{name}: the {generated!r} is not their number, and the selection has no weights: "
            "add .weight('generator', events['genWeight']) to it.",
            RuntimeWarning,
            stacklevel=4,
        )
    return generated.weights
