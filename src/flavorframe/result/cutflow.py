"""The cutflow: events and candidates that pass each cut, and the efficiencies that follow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from flavorframe.errors import AnalysisError, did_you_mean
from flavorframe.result import _repr_html, _repr_text

Quantity = Literal["candidates", "events", "weights"]

# The probability beyond one standard deviation on one side: 68.27 % lies between the two.
_TAIL = math.erfc(1 / math.sqrt(2)) / 2


@dataclass(frozen=True)
class CutRow:
    """What is left after one cut.

    ``axis`` is "event" or the name of the collection that the cut is on. ``sumw_events`` and
    ``sumw_candidates`` are sums of weights and ``sumw2_candidates`` is a sum of squared weights;
    without weights they are ``None``.
    """

    name: str
    formula: str
    axis: str
    events: int
    candidates: int
    sumw_events: float | None = None
    sumw_candidates: float | None = None
    sumw2_candidates: float | None = None


@dataclass(frozen=True)
class Efficiency:
    """A fraction that passed and the ends of its 68.27 % interval; all ``nan`` for none of none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, repr=False)
class Cutflow:
    """The cuts in order; row 0 is "all", before any cut.

    Cutflows of the same cuts add up, in any grouping. ``cutflow["HLT"]`` and ``cutflow[1]`` give a
    row; an unknown name raises ``AnalysisError`` with the nearest ones.

    >>> cutflow = Cutflow((CutRow("all", "", "event", 100, 250),
    ...                    CutRow("HLT", "hlt.fired('HLT_*')", "event", 40, 100)))
    >>> cutflow
    cut  events  candidates  rel. eff [%]    cum. eff [%]
    all     100         250
    HLT      40         100          40.0  40.0 −3.2 +3.3
    """

    rows: tuple[CutRow, ...]

    @classmethod
    def empty(cls, cuts: Iterable[tuple[str, str, str]], *, weighted: bool = False) -> Cutflow:
        """Return the cutflow of no event, the zero of ``+``; each cut is (name, formula, axis).

        >>> len(Cutflow.empty([("HLT", "hlt.fired('HLT_*')", "event")]))
        2
        """
        zero = 0.0 if weighted else None
        named = [("all", "", "event"), *cuts]
        return cls(tuple(CutRow(*cut, 0, 0, zero, zero, zero) for cut in named))

    @property
    def weighted(self) -> bool:
        """Whether the rows hold sums of weights."""
        return self.rows[0].sumw_candidates is not None

    def relative(self, cut: str | int, of: Quantity = "candidates") -> Efficiency:
        """Return the efficiency of one cut, after all cuts before it.

        ``of`` counts "candidates", "events" or "weights" (the candidates' sum of weights). Counts
        have the Clopper-Pearson interval (Biometrika 26 (1934) 404), which takes the candidates of
        an event as independent. Weights have ROOT's normal approximation for weighted entries,
        σ² = ((1 − 2ε) Σw²(passed) + ε² Σw²(all)) / (Σw(all))² (class ``TEfficiency``).
        """
        i = self._index(cut)
        return _efficiency(self.rows[i], self.rows[max(i - 1, 0)], of)

    def cumulative(self, cut: str | int, of: Quantity = "candidates") -> Efficiency:
        """Return the efficiency of a cut and all cuts before it; see ``relative`` for the interval.

        >>> rows = CutRow("all", "", "event", 9, 20), CutRow("HLT", "", "event", 3, 10)
        >>> Cutflow(rows).cumulative("HLT")
        Efficiency(value=0.5, low=0.36..., high=0.63...)
        """
        return _efficiency(self.rows[self._index(cut)], self.rows[0], of)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return one dictionary for each row, ready for JSON or a data frame."""
        return [asdict(row) for row in self.rows]

    def __getitem__(self, cut: str | int) -> CutRow:
        return self.rows[self._index(cut)]

    def __iter__(self) -> Iterator[CutRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __add__(self, other: Cutflow) -> Cutflow:
        """Return the cutflow of both samples; raises ``AnalysisError`` when the cuts differ."""
        _require_same_cuts(self, other)
        return Cutflow(tuple(_added(a, b) for a, b in zip(self.rows, other.rows, strict=True)))

    def __repr__(self) -> str:
        return _repr_text.cutflow(self)

    def _repr_html_(self) -> str:
        return _repr_html.cutflow(self)

    def _index(self, cut: str | int) -> int:
        if isinstance(cut, int):
            return range(len(self.rows))[cut]
        names = [row.name for row in self.rows]
        if cut not in names:
            near = did_you_mean(cut, names) or f" It has {', '.join(map(repr, names))}."
            raise AnalysisError(f"the cutflow has no cut {cut!r}.{near}")
        return names.index(cut)


def _efficiency(passed: CutRow, total: CutRow, of: Quantity) -> Efficiency:
    if of == "events":
        return _binomial(passed.events, total.events)
    if of == "candidates":
        return _binomial(passed.candidates, total.candidates)
    if of == "weights":
        return _weighted(passed, total)
    raise AnalysisError(f"efficiency of {of!r}: choose 'candidates', 'events' or 'weights'.")


def _binomial(passed: int, total: int) -> Efficiency:
    if total == 0:
        return Efficiency(math.nan, math.nan, math.nan)
    # The quantiles of beta distributions; scipy.stats would give the same after a longer import.
    from scipy.special import betaincinv

    failed = total - passed
    low = float(betaincinv(passed, failed + 1, _TAIL)) if passed else 0.0
    high = float(betaincinv(passed + 1, failed, 1 - _TAIL)) if failed else 1.0
    return Efficiency(passed / total, low, high)


def _weighted(passed: CutRow, total: CutRow) -> Efficiency:
    (sumw_passed, sumw2_passed), (sumw, sumw2) = _weights(passed), _weights(total)
    if sumw == 0:
        return Efficiency(math.nan, math.nan, math.nan)
    value = sumw_passed / sumw
    # One division after the other: the square of weights that nearly cancel may be too small.
    variance = ((1 - 2 * value) * sumw2_passed + value * value * sumw2) / sumw / sumw
    # Rounding may leave a variance of zero slightly negative.
    sigma = math.sqrt(max(variance, 0.0))
    return Efficiency(value, value - sigma, value + sigma)


def _weights(row: CutRow) -> tuple[float, float]:
    if row.sumw_candidates is None or row.sumw2_candidates is None:
        raise AnalysisError(f"cut {row.name!r} has no weights: ask for candidates or events.")
    return row.sumw_candidates, row.sumw2_candidates


def _require_same_cuts(a: Cutflow, b: Cutflow) -> None:
    if len(a) != len(b):
        raise AnalysisError(f"cannot add cutflows with {len(a) - 1} and {len(b) - 1} cuts.")
    if a.weighted != b.weighted:
        raise AnalysisError("cannot add cutflows: one has weights and the other has none.")
    for i, rows in enumerate(zip(a, b, strict=True)):
        for what in ("name", "formula", "axis"):
            one, two = (getattr(row, what) for row in rows)
            if one != two:
                raise AnalysisError(
                    f"cannot add cutflows: cut {i} differs in {what}, {one!r} and {two!r}."
                )


def _added(a: CutRow, b: CutRow) -> CutRow:
    return replace(
        a,
        events=a.events + b.events,
        candidates=a.candidates + b.candidates,
        sumw_events=_sum(a.sumw_events, b.sumw_events),
        sumw_candidates=_sum(a.sumw_candidates, b.sumw_candidates),
        sumw2_candidates=_sum(a.sumw2_candidates, b.sumw2_candidates),
    )


def _sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b
