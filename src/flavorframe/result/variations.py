"""What the variations of a histogram make of its uncertainty."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from flavorframe.errors import AnalysisError, did_you_mean
from flavorframe.outputs import VARIATION
from flavorframe.result._histograms import is_varied

Array = npt.NDArray[np.float64]


class Variations:
    """The variations of a histogram, by source; arrays are of the shape of its other axes.

    Args:
        histogram: A histogram of a result, with an axis ``variation``.

    Raises:
        AnalysisError: The histogram has none.

    Example:
        >>> import hist
        >>> labels = ["nominal", "scale up", "scale down"]
        >>> h = hist.Hist(hist.axis.StrCategory(labels, name="variation", overflow=False),
        ...               hist.axis.Regular(2, 0, 2, name="x"))
        >>> h.view()[:] = [[10, 20], [11, 18], [9, 21]]
        >>> variations = Variations(h)
        >>> variations.envelope()
        (array([ 9., 18.]), array([11., 21.]))
        >>> variations.covariance()
        array([[ 1.  , -1.5 ],
               [-1.5 ,  2.25]])
    """

    def __init__(self, histogram: Any) -> None:
        if not is_varied(histogram):
            raise AnalysisError(
                "This histogram has no variations: nothing that it is made of was given by "
                "ff.vary(...)."
            )
        values = np.asarray(histogram.values(), np.float64)
        axis = [each.name for each in histogram.axes].index(VARIATION)
        by_label = zip(histogram.axes[axis], np.moveaxis(values, axis, 0), strict=True)
        self._values: dict[str, Array] = dict(by_label)

    @property
    def labels(self) -> list[str]:
        """What the variations are called, ``"nominal"`` first."""
        return list(self._values)

    @property
    def sources(self) -> list[str]:
        """The sources of uncertainty."""
        return list(self._shifts())

    @property
    def nominal(self) -> Array:
        """The values as they are."""
        nominal: Array = self._values["nominal"]
        return nominal

    def envelope(self, *sources: str) -> tuple[Array, Array]:
        """Return the lowest and the highest value in each bin, of these sources or of all."""
        values = [self.nominal, *(v for each in self._of(sources).values() for v in each.values())]
        return np.min(values, axis=0), np.max(values, axis=0)

    def quadrature(self, *sources: str) -> tuple[Array, Array]:
        """Return the uncertainties to below and to above, those of the sources added in squares.

        Of a source, the largest shift to either side counts; of replicas their standard deviation.
        """
        below, above = np.zeros_like(self.nominal), np.zeros_like(self.nominal)
        for shifts in self._of(sources).values():
            low, high = self._sides(shifts)
            below, above = np.hypot(below, low), np.hypot(above, high)
        return below, above

    def covariance(self, *sources: str) -> Array:
        """Return the covariance of the bins, of shape (bins, bins), in the order of the values.

        A source moves all bins together: by half of the difference of two shifts, or by the one
        that there is. Replicas are a sample, with its own covariance.
        """
        size = self.nominal.size
        total = np.zeros((size, size))
        for shifts in self._of(sources).values():
            total += self._covariance(shifts)
        return total

    def _sides(self, shifts: Mapping[str, Array]) -> tuple[Array, Array]:
        values = np.array(list(shifts.values()))
        if _are_replicas(shifts):
            spread = values.std(axis=0, ddof=1)
            return spread, spread
        moved = values - self.nominal
        return np.maximum(-moved, 0).max(axis=0), np.maximum(moved, 0).max(axis=0)

    def _covariance(self, shifts: Mapping[str, Array]) -> Array:
        values = np.array([each.reshape(-1) for each in shifts.values()])
        if _are_replicas(shifts):
            sample: Array = np.cov(values, rowvar=False, ddof=1)
            return sample.reshape(2 * (values.shape[1],))
        if len(values) > 2:
            raise AnalysisError(
                f"{', '.join(shifts)}: a covariance is of one shift, of two, or of replicas; take "
                "the envelope of others."
            )
        if len(values) == 2:
            moved = (values[0] - values[1]) / 2
        else:
            moved = values[0] - self.nominal.reshape(-1)
        covariance: Array = np.outer(moved, moved)
        return covariance

    def _of(self, sources: Sequence[str]) -> dict[str, dict[str, Array]]:
        known = self._shifts()
        for source in sources:
            if source not in known:
                raise AnalysisError(
                    f"There is no source of variations {source!r}.{did_you_mean(source, known)} "
                    f"There are {', '.join(known)}."
                )
        return {source: known[source] for source in sources or known}

    def _shifts(self) -> dict[str, dict[str, Array]]:
        found: dict[str, dict[str, Array]] = {}
        for label, values in self._values.items():
            if label != "nominal":
                source, shift = label.rsplit(" ", 1)
                found.setdefault(source, {})[shift] = values
        return found


def _are_replicas(shifts: Collection[str]) -> bool:
    return len(shifts) > 1 and [*shifts] == [str(i) for i in range(len(shifts))]
