"""The cutflow: events and candidates that pass each cut, and the efficiencies that follow.

A new number in its rows is a field of `CutRow`; rows of no event, sums of rows and files of results
follow from that. It is computed

* by the columnar engine: ``engines/_columnar/runner.py`` (``Counts``, ``counts``), and
  ``caching/tables.py`` there, which counts without computing expressions,
* by RDataFrame's: ``engines/_rdataframe/cpp/state.h`` (``count_row``), ``codegen/totals.py``
  (``ROW``) and ``runtime/outcome.py`` (``_row``),
* by the tests' own reference, event by event: ``tests/support/oracle.py``.

It is compared in ``certificate/comparison.py``, and shown by ``_grid`` (the header) and ``_cells``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import MISSING, asdict, astuple, dataclass, fields, replace
from typing import Any, Literal

from flavorframe._display import UNDEFINED, Grid, as_html, as_text
from flavorframe._display.numbers import percent, percent_with_interval
from flavorframe._expr.texts import shortened
from flavorframe.errors import AnalysisError, did_you_mean
from flavorframe.result.efficiency import Efficiency, of_counts, of_weights

Quantity = Literal["candidates", "events", "weights"]


@dataclass(frozen=True)
class CutRow:
    """What is left after one cut.

    Attributes:
        name: Name of the cut.
        formula: Its condition.
        axis: "event", or the name of the collection that the cut is on.
        events: Events with at least one candidate left.
        candidates: Candidates left.
        sumw_events: Sum of the weights of the events; None without weights.
        sumw_candidates: Sum of the weights of the candidates; None without weights.
        sumw2_candidates: Sum of the squared weights of the candidates; None without weights.
        categories: Candidates in each category, and at last those that fit several of them.
    """

    name: str
    formula: str
    axis: str
    events: int
    candidates: int
    sumw_events: float | None = None
    sumw_candidates: float | None = None
    sumw2_candidates: float | None = None
    categories: tuple[int, ...] = ()


_LABELS = ("name", "formula", "axis")
_COUNTS = tuple(f.name for f in fields(CutRow) if f.default is MISSING and f.name not in _LABELS)
_SUMS = tuple(f.name for f in fields(CutRow) if f.default is None)
"""The numbers of a row: counts, and sums of weights."""


@dataclass(frozen=True, repr=False)
class Cutflow:
    """The cuts in order; row 0 is "all", before any cut.

    Cutflows of the same cuts add up, in any grouping. ``cutflow["HLT"]`` and ``cutflow[1]`` give a
    row.

    Attributes:
        rows: What is left after each cut.
        categories: The names of the categories, where candidates are sorted into some.

    Raises:
        AnalysisError: For an unknown name of a cut, with the nearest ones.

    Example:
        >>> cutflow = Cutflow((CutRow("all", "", "event", 100, 250),
        ...                    CutRow("HLT", "hlt.fired('HLT_*')", "event", 40, 100)))
        >>> cutflow
        cut  events  candidates  rel. eff [%]    cum. eff [%]
        all     100         250
        HLT      40         100          40.0  40.0 −3.2 +3.3
    """

    rows: tuple[CutRow, ...]
    categories: tuple[str, ...] = ()

    @classmethod
    def empty(
        cls,
        cuts: Iterable[tuple[str, str, str]],
        *,
        weighted: bool = False,
        categories: tuple[str, ...] = (),
    ) -> Cutflow:
        """Return the cutflow of no event, to which others are added.

        Args:
            cuts: Name, formula and axis of each cut.
            weighted: Whether it has sums of weights.
            categories: The names of the categories.

        Example:
            >>> len(Cutflow.empty([("HLT", "hlt.fired('HLT_*')", "event")]))
            2
        """
        zeros: dict[str, Any] = dict.fromkeys(_COUNTS, 0)
        if weighted:
            zeros |= dict.fromkeys(_SUMS, 0.0)
        if categories:
            zeros["categories"] = (0,) * (len(categories) + 1)
        named = [("all", "", "event"), *cuts]
        return cls(tuple(CutRow(*cut, **zeros) for cut in named), categories)

    @classmethod
    def of_events(cls, events: int) -> Cutflow:
        """Return the cutflow of what was read, before any selection.

        Example:
            >>> Cutflow.of_events(100)
            cut  events  candidates  rel. eff [%]  cum. eff [%]
            all     100         100
        """
        return cls((CutRow("all", "", "event", events, events),))

    @property
    def weighted(self) -> bool:
        """Whether the rows hold sums of weights."""
        return self.rows[0].sumw_candidates is not None

    def relative(self, cut: str | int, of: Quantity = "candidates") -> Efficiency:
        """Return the efficiency of one cut, after all cuts before it.

        Args:
            cut: Its name or number.
            of: What is counted: "candidates", "events", or "weights", the candidates' sum of
                weights.

        Returns:
            The fraction and its 68.27 % interval. Counts have that of Clopper and Pearson
            (Biometrika 26 (1934) 404), which takes the candidates of an event as independent.
            Weights have ROOT's normal approximation for weighted entries,
            σ² = ((1 − 2ε) Σw²(passed) + ε² Σw²(all)) / (Σw(all))² (class ``TEfficiency``).

        Raises:
            AnalysisError: For an unknown cut, and for weights that the cutflow does not have.
        """
        i = self._index(cut)
        return _efficiency(self.rows[i], self.rows[max(i - 1, 0)], of)

    def cumulative(self, cut: str | int, of: Quantity = "candidates") -> Efficiency:
        """Return the efficiency of a cut and all cuts before it.

        Arguments, interval and errors are those of `relative`.

        Example:
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
        rows = tuple(_added(a, b) for a, b in zip(self.rows, other.rows, strict=True))
        return Cutflow(rows, self.categories)

    def __repr__(self) -> str:
        return as_text(_grid(self, formulas=False))

    def _repr_html_(self) -> str:
        return as_html(_grid(self, formulas=True))

    def _index(self, cut: str | int) -> int:
        if isinstance(cut, int):
            return range(len(self.rows))[cut]
        names = [row.name for row in self.rows]
        if cut not in names:
            near = did_you_mean(cut, names) or f" It has {', '.join(map(repr, names))}."
            raise AnalysisError(f"the cutflow has no cut {cut!r}.{near}")
        return names.index(cut)


def _grid(flow: Cutflow, *, formulas: bool) -> Grid:
    """Return a row for each cut; columns of weights only where the cutflow has weights."""
    header = ["cut", *(["formula"] if formulas else []), "events", "candidates", *flow.categories]
    header += ["rel. eff [%]", "cum. eff [%]"]
    header += ["Σw events", "Σw candidates", "cum. eff of Σw [%]"] if flow.weighted else []
    rows = tuple(tuple(_cells(flow, i, formulas)) for i in range(len(flow)))
    return Grid(tuple(header), rows, labels=2 if formulas else 1, css_class="ff-cutflow")


def _cells(flow: Cutflow, i: int, formulas: bool) -> Iterator[str]:
    row = flow[i]
    yield row.name
    if formulas:
        yield shortened(row.formula)
    yield f"{row.events:,}"
    yield f"{row.candidates:,}"
    yield from (f"{number:,}" for number in row.categories[: len(flow.categories)])
    # The first row is what the efficiencies refer to: it has none.
    yield percent(*astuple(flow.relative(i))) if i else ""
    yield percent_with_interval(*astuple(flow.cumulative(i))) if i else ""
    if flow.weighted:
        yield from _weight_cells(row)
        yield percent_with_interval(*astuple(flow.cumulative(i, "weights"))) if i else ""


def _weight_cells(row: CutRow) -> Iterator[str]:
    for sum_of_weights in (row.sumw_events, row.sumw_candidates):
        yield UNDEFINED if sum_of_weights is None else f"{sum_of_weights:,.6g}"


def _efficiency(passed: CutRow, total: CutRow, of: Quantity) -> Efficiency:
    if of == "events":
        return of_counts(passed.events, total.events)
    if of == "candidates":
        return of_counts(passed.candidates, total.candidates)
    if of == "weights":
        return of_weights(*_weights(passed), *_weights(total))
    raise AnalysisError(f"efficiency of {of!r}: choose 'candidates', 'events' or 'weights'.")


def _weights(row: CutRow) -> tuple[float, float]:
    if row.sumw_candidates is None or row.sumw2_candidates is None:
        raise AnalysisError(f"cut {row.name!r} has no weights: ask for candidates or events.")
    return row.sumw_candidates, row.sumw2_candidates


def _require_same_cuts(a: Cutflow, b: Cutflow) -> None:
    if len(a) != len(b):
        raise AnalysisError(f"cannot add cutflows with {len(a) - 1} and {len(b) - 1} cuts.")
    if a.categories != b.categories:
        raise AnalysisError("cannot add cutflows: their categories are not the same.")
    if a.weighted != b.weighted:
        raise AnalysisError("cannot add cutflows: one has weights and the other has none.")
    for i, rows in enumerate(zip(a, b, strict=True)):
        for what in _LABELS:
            one, two = (getattr(row, what) for row in rows)
            if one != two:
                raise AnalysisError(
                    f"cannot add cutflows: cut {i} differs in {what}, {one!r} and {two!r}."
                )


def _added(a: CutRow, b: CutRow) -> CutRow:
    numbers: dict[str, Any] = {
        name: _sum(getattr(a, name), getattr(b, name)) for name in (*_COUNTS, *_SUMS)
    }
    both = zip(a.categories, b.categories, strict=True)
    return replace(a, **numbers, categories=tuple(x + y for x, y in both))


def _sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b
