"""What an analysis makes of the selected candidates: histograms and snapshots; see also `skims`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._expr.categories import Categories
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._expr.formula import brief, formula
from flavorframe._expr.nesting import refuse_nested
from flavorframe._expr.strings import refuse_string
from flavorframe._expr.texts import shortened
from flavorframe._expr.variations import Variation, shifted
from flavorframe._files.locations import is_url
from flavorframe.errors import AnalysisError, ExpressionError

CATEGORY, VARIATION = "category", "variation"
"""The axes of histograms that no user has declared; the former is a column of snapshots too."""

FORMATS = ("ttree", "rntuple", "parquet")

Bins: TypeAlias = "int | Sequence[float]"
Range: TypeAlias = "tuple[float, float]"


@dataclass(frozen=True)
class HistogramAxis:
    """A binned quantity: one axis of a histogram. ``edges`` are in the unit of the quantity.

    An axis of ``categories`` has a bin for each, whose number is the quantity.
    """

    node: n.Node
    edges: tuple[float, ...]
    regular: bool
    name: str
    label: str
    categories: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"<axis of {brief(self.node)}, {len(self.edges) - 1} bins from {self.edges[0]:g} to "
            f"{self.edges[-1]:g}>"
        )


@dataclass(frozen=True)
class Histogram:
    """A histogram to be filled; ``without`` names a cut to leave out (N−1)."""

    axes: tuple[HistogramAxis, ...]
    weight: n.Node | None = None
    without: str | None = None

    @property
    def nodes(self) -> tuple[n.Node, ...]:
        """Everything that has to be evaluated to fill it."""
        values = tuple(axis.node for axis in self.axes)
        return values if self.weight is None else (*values, self.weight)


@dataclass(frozen=True)
class Snapshot:
    """Columns of the selected candidates, kept in memory or written to one file, or to several.

    ``varied_weights`` are the columns with the weight in variations, where plans have any.
    """

    columns: tuple[tuple[str, n.Node], ...]
    path: str | None = None
    format: str = "ttree"
    tree: str = "candidates"
    files: int = 1
    varied_weights: tuple[tuple[str, Variation], ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Where the rows go: ``path``, or ``rows_1of4.root`` to ``rows_4of4.root`` for four."""
        if self.path is None or self.files == 1:
            return () if self.path is None else (self.path,)
        whole, width = Path(self.path), len(str(self.files))
        numbers = [f"{i + 1:0{width}}of{self.files}" for i in range(self.files)]
        return tuple(str(whole.with_stem(f"{whole.stem}_{number}")) for number in numbers)

    @property
    def nodes(self) -> tuple[n.Node, ...]:
        """Everything that has to be evaluated to fill it."""
        return tuple(node for _, node in self.columns)

    def column_names(self, *, weighted: bool) -> list[str]:
        """Return the names of the columns, among them the weight where the selection has one."""
        weights = ["weight", *(name for name, _ in self.varied_weights)] if weighted else []
        return [*(name for name, _ in self.columns), *weights]

    @property
    def suffix(self) -> str:
        """The suffix of files of this format."""
        return "parquet" if self.format == "parquet" else "root"


Output = Histogram | Snapshot


def axis(
    x: Expr,
    *,
    bins: Bins,
    range: Range | None = None,
    label: str | None = None,
) -> HistogramAxis:
    """Return an axis of a histogram with several; bins are half-open, low ≤ x < high.

    Args:
        x: What is filled: an expression with a number or truth value per event or candidate.
        bins: The number of bins, all of one width, or the n + 1 edges of n bins, which must rise.
        range: The lower end of the first and the upper end of the last bin, in the unit of ``x``,
            where ``bins`` is a number.
        label: The axis title; by default the formula of ``x``.

    Returns:
        An axis to be given to `hist`.

    Raises:
        AnalysisError: The range is empty, the wrong way round, not finite or too wide, the edges
            do not rise, or ``x`` are categories.
        ExpressionError: ``x`` is a constant or a string.

    Example:
        >>> import flavorframe as ff
        >>> ff.axis(ff.events().triplet.mass, bins=62, range=(1.65, 2.01), label="m [GeV]")
        <axis of triplet.mass, 62 bins from 1.65 to 2.01>
    """
    if isinstance(x, Categories):
        raise AnalysisError(
            "Categories are the first axis of each histogram of a region: ff.Region(..., by=...). "
            "What number each has is their .number."
        )
    node = as_node(x)
    if isinstance(node, n.Literal):
        raise ExpressionError(f"A histogram takes expressions, not the constant {node.value!r}.")
    refuse_string(node, "A histogram's axis", "filled")
    refuse_nested(node, "A histogram's axis")
    edges, regular = _edges(bins, range, brief(node))
    text = label or brief(shifted(node, None))
    return HistogramAxis(node, edges, regular, column_name(node), text)


def hist(
    *x: Expr | HistogramAxis,
    bins: Bins | None = None,
    range: Range | None = None,
    label: str | None = None,
    weight: Operand | None = None,
    without: str | None = None,
) -> Histogram:
    """Declare a histogram of the selected candidates, or of events where x has one value an event.

    One axis: ``ff.hist(t.mass, bins=62, range=(1.65, 2.01), label="m [GeV]")``; several:
    ``ff.hist(ff.axis(t.mass, ...), ff.axis(phi_mass, ...))``. After the run it is a `hist.Hist`,
    with weighted storage where weights are in play.

    Args:
        x: What is filled, or one axis or more made by `axis`.
        bins: The number of bins, all of one width, or the n + 1 edges of n bins.
        range: The lower end of the first and the upper end of the last bin, in the unit of ``x``,
            where ``bins`` is a number.
        label: The axis title; by default the formula of ``x``.
        weight: A factor for each entry, beside the weights of the selection.
        without: The name of a cut to leave out (N−1).

    Returns:
        The histogram to be filled, for `Analysis`.

    Raises:
        AnalysisError: The bins are missing or wrong, or two axes are the same quantity.
        ExpressionError: Quantities or weight are of two collections, constants or strings.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> ff.hist(t.mass, bins=62, range=(1.65, 2.01)).axes
        (<axis of triplet.mass, 62 bins from 1.65 to 2.01>,)
    """
    axes = _axes(x, bins, range, label)
    if weight is not None:
        refuse_string(as_node(weight), "weight= of a histogram", "weights")
        refuse_nested(as_node(weight), "weight= of a histogram")
    spec = Histogram(axes, None if weight is None else as_node(weight), without)
    n.join_axes(spec.nodes)
    names = [a.name for a in axes]
    if len(set(names)) < len(names):
        raise AnalysisError(f"Two axes of the histogram are the same quantity: {names[0]}.")
    return spec


def snapshot(
    *x: Operand,
    path: str | Path | None = None,
    format: str | None = None,
    tree: str = "candidates",
    files: int = 1,
    **named: Operand,
) -> Snapshot:
    """Declare a snapshot: one row per selected candidate, one column per expression.

    Args:
        x: Columns that are named after their expressions (``t.mu1.pt`` is ``mu1_pt``).
        path: The file to write to while the run goes on. Without it the rows stay in memory, as
            ``result.<name>``.
        format: "ttree", "rntuple" or "parquet"; by default what the suffix of ``path`` says.
        tree: The name of the tree in a ROOT file.
        files: Among how many files the rows are divided evenly when the run ends, in the order of
            the data: ``rows_1of4.root`` to ``rows_4of4.root`` for four.
        named: Columns by name.

    Returns:
        The snapshot to be filled, for `Analysis`.

    Raises:
        AnalysisError: There is no column, two have one name, or ``path``, ``format`` or ``files``
            is wrong.
        ExpressionError: Columns are of two collections, or one is a text.

    Example:
        >>> import flavorframe as ff
        >>> ff.snapshot(ff.events().triplet.mass, path="rows.root", files=2).paths
        ('rows_1of2.root', 'rows_2of2.root')
    """
    require_path(path, files)
    nodes = [as_node(value) for value in x]
    columns = [(column_name(node), node) for node in nodes]
    columns += [(name, as_node(value)) for name, value in named.items()]
    if not columns:
        raise AnalysisError("ff.snapshot() takes at least one expression.")
    _check_unique([name for name, _ in columns])
    refuse_texts(columns)
    n.join_axes(tuple(node for _, node in columns))
    chosen = format or ("parquet" if str(path or "").endswith(".parquet") else "ttree")
    if chosen not in FORMATS:
        raise AnalysisError(f"format={format!r} is not one of {', '.join(FORMATS)}.")
    return Snapshot(tuple(columns), None if path is None else str(path), chosen, tree, files)


def require_path(path: str | Path | None, files: int) -> None:
    """Raise AnalysisError where rows cannot go to that path, or to so many files."""
    if is_url(str(path)) or str(path).startswith("file:"):
        raise AnalysisError(f"path={str(path)!r}: snapshots are written to paths, not to URLs.")
    if files < 1:
        raise AnalysisError(f"files={files}: a snapshot goes to one file or more.")


def column_name(node: n.Node) -> str:
    """Return the name that a quantity bears in files: its path, or its formula in ASCII letters."""
    node = n.innermost(shifted(node, None))
    if isinstance(node, n.Default):
        node = node.operand
    if isinstance(node, n.Field):
        return "_".join(node.path)
    if isinstance(node, n.Branch):
        return node.branch
    text = shortened(formula(node)).replace("√", "sqrt_")
    text = "".join(c if c.isascii() and c.isalnum() else "_" for c in text)
    name = "_".join(part for part in text.split("_") if part)
    return name if name and not name[0].isdigit() else f"value_{name}".rstrip("_")


def _axes(
    x: tuple[Expr | HistogramAxis, ...], bins: Bins | None, range_: Range | None, label: str | None
) -> tuple[HistogramAxis, ...]:
    if not x:
        raise AnalysisError("ff.hist() takes an expression, or axes made by ff.axis().")
    axes = tuple(item for item in x if isinstance(item, HistogramAxis))
    if len(axes) == len(x):
        if (bins, range_, label) != (None, None, None):
            raise AnalysisError("bins=, range= and label= belong into each ff.axis(...).")
        return axes
    quantities = [item for item in x if not isinstance(item, HistogramAxis)]
    if len(x) > 1:
        raise AnalysisError(
            "A histogram of several quantities takes axes: "
            "ff.hist(ff.axis(x, bins=..., range=...), ff.axis(y, bins=..., range=...))."
        )
    if bins is None:
        raise AnalysisError("ff.hist() needs bins=: a number, with range=(low, high), or edges.")
    return (axis(quantities[0], bins=bins, range=range_, label=label),)


def _edges(bins: Bins, range_: Range | None, what: str) -> tuple[tuple[float, ...], bool]:
    if isinstance(bins, int | np.integer):
        return _regular_edges(int(bins), range_, what), True
    if not isinstance(bins, Iterable) or isinstance(bins, str):
        raise AnalysisError(f"Histogram of {what}: bins={bins!r} is no number of bins, nor edges.")
    edges = _numbers(bins, f"Histogram of {what}: bins={bins!r} are no bin edges")
    if range_ is not None:
        raise AnalysisError(f"Histogram of {what}: give either bin edges or range=, not both.")
    if len(edges) < 2 or not all(a < b for a, b in pairwise(edges)):
        raise AnalysisError(f"Histogram of {what}: bin edges must rise, and be two or more.")
    return edges, False


def _regular_edges(bins: int, range_: Range | None, what: str) -> tuple[float, ...]:
    if bins < 1:
        raise AnalysisError(f"Histogram of {what}: bins={bins}; there must be at least one.")
    needed = f"Histogram of {what}: bins={bins} needs range=(low, high)"
    ends = () if range_ is None else _numbers(range_, f"{needed}, not {range_!r}")
    if len(ends) != 2:
        raise AnalysisError(f"{needed}.")
    low, high = ends
    if not (math.isfinite(low) and math.isfinite(high)) or low >= high:
        hint = f" Did you mean ({high:g}, {low:g})?" if low > high else ""
        raise AnalysisError(
            f"Histogram of {what}: range ({low:g}, {high:g}) must rise from low to high.{hint}"
        )
    if not math.isfinite(high - low):
        raise AnalysisError(
            f"Histogram of {what}: range ({low:g}, {high:g}) is too wide: its width is no finite "
            "number."
        )
    return tuple(np.linspace(low, high, bins + 1).tolist())


def _numbers(values: Iterable[float], complaint: str) -> tuple[float, ...]:
    try:
        return tuple(float(value) for value in values)
    except (TypeError, ValueError, OverflowError):
        raise AnalysisError(f"{complaint}: numbers, in a list.") from None


def refuse_texts(columns: Iterable[tuple[str, n.Node]]) -> None:
    """Raise ExpressionError where a column is a text instead of an expression."""
    for name, node in columns:
        refuse_nested(node, f"Column {name!r}")
        if isinstance(node, n.Literal) and isinstance(node.value, str):
            raise ExpressionError(
                f"Column {name!r} of the snapshot is the text {node.value!r}: a column takes an "
                "expression or a number. A branch is events['Name'], and a text becomes an "
                "expression by ff.parse()."
            )


def _check_unique(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AnalysisError(
            f"The snapshot has two columns named {twice[0]!r}: name one by keyword, such as "
            f"my_{twice[0]}=...."
        )
