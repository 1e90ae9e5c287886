"""Means of the selected candidates, of all together or by bin; see also `outputs`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._expr.nesting import refuse_nested
from flavorframe._expr.strings import refuse_string
from flavorframe.errors import AnalysisError, ExpressionError
from flavorframe.outputs import Histogram, HistogramAxis, Output

FINITE = (-sys.float_info.max, sys.float_info.max)
"""The ends of a bin with all numbers; NaN and missing values are in the overflow beside it."""


@dataclass(frozen=True)
class Average:
    """The mean of ``node`` in each bin of the axes, or of all candidates where there is none."""

    node: n.Node
    axes: tuple[HistogramAxis, ...] = ()
    weight: n.Node | None = None
    without: str | None = None

    @property
    def nodes(self) -> tuple[n.Node, ...]:
        """Everything that has to be evaluated for it."""
        others = () if self.weight is None else (self.weight,)
        return (self.node, *(axis.node for axis in self.axes), *others)

    def sums(self) -> Iterator[tuple[str, SumOfPowers]]:
        """Yield the sums that it is made of, with what their names end in."""
        number = HistogramAxis(self.node, FINITE, False, "number", "")
        factors = [n.Literal(1.0) if self.weight is None else self.weight, self.node, self.node]
        for power, end in enumerate(ENDS):
            weight = factors[0]
            for factor in factors[1 : power + 1]:
                weight = n.Apply("multiply", (weight, factor))
            yield end, SumOfPowers((*self.axes, number), weight, self.without, power)


@dataclass(frozen=True)
class SumOfPowers(Histogram):
    """Sums of weights times a power of a quantity, by bin; the last axis is of the quantity."""

    power: int = 0


Declared: TypeAlias = "Output | Average"
"""What users declare; in plans the sums of averages are histograms."""

ENDS = ("", " Σx", " Σx²")
"""What the names of the sums of an average end in, by the power of the quantity."""


def mean(
    x: Expr,
    *,
    by: HistogramAxis | Sequence[HistogramAxis] = (),
    weight: Operand | None = None,
    without: str | None = None,
) -> Average:
    """Declare the mean of a quantity over the selected candidates, also in bins: a profile.

    Candidates whose value is NaN, infinite or missing are left out. Of a condition the mean is the
    fraction that fulfils it. Sums are exact: the mean does not depend on how the work is split.

    Args:
        x: The quantity, or condition; events count once where it has one value an event.
        by: An axis made by `axis`, or several, in whose bins means are taken.
        weight: A factor for each value, beside the weights of the selection.
        without: The name of a cut to leave out (N−1).

    Returns:
        What `Analysis` takes. After the run it is a `Mean`, or with axes a ``hist.Hist`` whose bins
        have means.

    Raises:
        AnalysisError: ``by`` is no axis.
        ExpressionError: Quantities are of two collections, on a nested axis, constants or strings.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> profile = ff.mean(t.mass, by=ff.axis(t.eta, bins=12, range=(-2.4, 2.4)))
        >>> profile.axes
        (<axis of triplet.eta, 12 bins from -2.4 to 2.4>,)
    """
    node = as_node(x)
    if isinstance(node, n.Literal):
        raise ExpressionError(f"A mean takes an expression, not the constant {node.value!r}.")
    axes = (by,) if isinstance(by, HistogramAxis) else tuple(by)
    for each in axes:
        if not isinstance(each, HistogramAxis):
            raise AnalysisError(f"by={each!r} of a mean is no axis: make it by ff.axis(x, ...).")
    average = Average(node, axes, None if weight is None else as_node(weight), without)
    for part in average.nodes:
        refuse_string(part, "A mean", "averaged")
        refuse_nested(part, "A mean")
    n.join_axes(average.nodes)
    return average
