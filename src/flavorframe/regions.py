"""Regions: selections that an analysis evaluates in one pass, each with its outputs."""

from __future__ import annotations

from dataclasses import dataclass, fields

from flavorframe._expr import nodes as n
from flavorframe._expr.categories import Categories
from flavorframe._expr.formula import brief
from flavorframe._expr.variations import Variation, restricted
from flavorframe._planning.rewriting import rewritten
from flavorframe.averages import Average, Declared
from flavorframe.errors import AnalysisError, ExpressionError
from flavorframe.outputs import Histogram, Snapshot
from flavorframe.result import Result
from flavorframe.selection import Selection
from flavorframe.skims import Skim

RESERVED = frozenset(dir(Result)) | {field.name for field in fields(Result)}
"""Names of a result's own attributes, which no output or region can bear."""


@dataclass(frozen=True, init=False)
class Region:
    """A selection and its outputs, one of several of an analysis.

    Args:
        selection: Which candidates are kept, and with which weights.
        by: Categories: they become the first axis of each histogram, and columns of the cutflow.
        **outputs: Histograms, means, snapshots and skims, by name.

    Raises:
        AnalysisError: An output is neither, or its name is taken.
        ExpressionError: The categories are not those of candidates or events.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> mass = ff.hist(t.mass, bins=62, range=(1.65, 2.01))
        >>> base = ff.Selection(t).cut("vertex", t.vertex_chi2 < 15)
        >>> ff.Analysis(
        ...     signal=ff.Region(base.cut("far", t.flight_significance > 3), mass=mass),
        ...     control=ff.Region(base.cut("near", t.flight_significance < 3), mass=mass),
        ... )
        Analysis
        signal: mass (histogram)
        Selection of triplet
          1. vertex    triplet.vertex_chi2 < 15
          2. far       triplet.flight_significance > 3
        control: mass (histogram)
        Selection of triplet
          1. vertex    triplet.vertex_chi2 < 15
          2. near      triplet.flight_significance < 3
    """

    selection: Selection
    outputs: tuple[tuple[str, Declared], ...]
    by: Categories | None

    def __init__(
        self, selection: Selection, *, by: Categories | None = None, **outputs: Declared
    ) -> None:
        """Raises AnalysisError for an output that is none, or whose name is taken."""
        if not isinstance(selection, Selection):
            raise AnalysisError(f"A region takes a selection first, not {selection!r}.")
        for name, output in outputs.items():
            _check_output(name, output, selection)
        if by is not None:
            _check_categories(by, selection)
        object.__setattr__(self, "selection", selection)
        object.__setattr__(self, "outputs", tuple(outputs.items()))
        object.__setattr__(self, "by", by)

    def with_outputs(self, **outputs: Declared) -> Region:
        """Return the region with more outputs, or others under the same names."""
        return Region(self.selection, by=self.by, **{**dict(self.outputs), **outputs})

    def __repr__(self) -> str:
        kinds = ", ".join(f"{name} ({type(o).__name__.lower()})" for name, o in self.outputs)
        return f"{kinds or 'no outputs'}\n{self.selection!r}"


def restricted_region(region: Region, kept: frozenset[Variation]) -> Region:
    """Return a region in which only these variations are left."""

    def change(tree: n.Part) -> n.Part:
        return restricted(tree, kept)

    by = None if region.by is None else rewritten(region.by, change)
    outputs = dict(rewritten(region.outputs, change))
    return Region(rewritten(region.selection, change), by=by, **outputs)


def check_name(what: str, name: str) -> None:
    """Raise AnalysisError where an output or region cannot bear a name."""
    if not name:
        raise AnalysisError(f"{what} needs a name.")
    if name in RESERVED or name.startswith("_"):
        raise AnalysisError(f"{what} cannot be called {name!r}: results use the name themselves.")


def _check_output(name: str, output: object, selection: Selection) -> None:
    if not isinstance(output, Histogram | Snapshot | Average):
        raise AnalysisError(
            f"Output {name!r} is {output!r}; an output is made by ff.hist(...), ff.mean(...), "
            "ff.snapshot(...), ff.skim(...), or, for the analysis, by ff.lumi_sections() or "
            "ff.duplicates()."
        )
    check_name("An output", name)
    if isinstance(output, Histogram | Average) and output.without is not None:
        selection.without(output.without)
    if isinstance(output, Skim):
        _check_skim(name, output, selection)
    elif (
        isinstance(output, Snapshot) and selection.is_weighted and "weight" in dict(output.columns)
    ):
        raise AnalysisError(
            f"Snapshot {name!r} has a column 'weight', and the one of the selection's weights is "
            "called so: give yours another name, as in ff.snapshot(my_weight=...)."
        )


def _check_skim(name: str, skim: Skim, selection: Selection) -> None:
    if skim.passed is not None and selection.candidates == n.EVENT:
        raise AnalysisError(
            f"Skim {name!r} has passed={skim.passed!r}: candidates are events here, and all that a "
            "skim has are selected."
        )


def _check_categories(by: object, selection: Selection) -> None:
    if not isinstance(by, Categories):
        raise AnalysisError(f"by= takes ff.categories(...), not {by!r}.")
    if by.node.axis not in (n.EVENT, n.UNRESOLVED, selection.candidates):
        raise ExpressionError(
            f"The categories {', '.join(by.names)} have one value per {brief(by.node.axis)}, and "
            f"the candidates are {brief(selection.candidates)}: reduce the conditions with any(), "
            "all() ...."
        )
