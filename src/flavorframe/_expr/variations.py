"""Variations: quantities that are shifted, together where they have one source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import kind_of
from flavorframe._expr.samples import is_simulation
from flavorframe.errors import AnalysisError, ExpressionError, did_you_mean

NOMINAL = "nominal"


@dataclass(frozen=True, order=True)
class Variation:
    """A source of uncertainty, and one of its shifts."""

    source: str
    shift: str

    @property
    def label(self) -> str:
        """How axes of histograms call it."""
        return f"{self.source} {self.shift}"


def vary(
    source: str,
    nominal: Operand,
    /,
    *,
    replicas: Sequence[Operand] = (),
    only: Literal["data", "simulation"] | None = None,
    **shifts: Operand,
) -> Expr:
    """Return a quantity that is shifted in some variations; it is used like any other.

    What has one source is shifted together, wherever it is used. In a weight, only the weights
    change. In a cut, in a part of a collection or in a best candidate, the candidates follow.

    Args:
        source: The name of the source of uncertainty, such as ``"muon ID"``.
        nominal: The quantity as it is.
        replicas: The same in many variations that are called 0, 1, 2 ..., such as the weights of a
            set of parton distributions.
        only: ``"simulation"`` or ``"data"``, of which alone it is shifted; by default both are.
        **shifts: The same in each variation, such as ``up=`` and ``down=``, on the same axis and
            in the same unit; a number stands for all elements.

    Returns:
        An expression. Histograms that it has a part in get an axis of variations, of which
        ``"nominal"`` is the first; ``"muon ID up"`` is one of the others.

    Raises:
        ExpressionError: There is no shift, or one has another axis, a name with spaces or that of
            another, or is a string, or ``only`` is neither.

    Example:
        >>> import flavorframe as ff
        >>> muon = ff.events().muon
        >>> ff.vary("momentum scale", muon.pt, up=1.01 * muon.pt, down=0.99 * muon.pt)
        <(muon.pt ± momentum scale), one value per muon>
    """
    if not isinstance(source, str) or not source:
        raise ExpressionError(f"ff.vary takes the name of a source first, not {source!r}.")
    varied = {**shifts, **{str(i): each for i, each in enumerate(replicas)}}
    if not varied:
        raise ExpressionError(
            f"ff.vary({source!r}, ...) varies nothing: give it up= and down=, or replicas=[...]."
        )
    _check_shifts(source, [*shifts, *(str(i) for i in range(len(replicas)))])
    first, *others = (_number(source, value) for value in (nominal, *varied.values()))
    if only is not None:
        others = [_only(only, shift, first) for shift in others]
    return Expr(n.Varied(source, first, tuple(varied), tuple(others)))


def _check_shifts(source: str, names: Sequence[str]) -> None:
    """Refuse names by which two variations could be called the same."""
    for name in names:
        if not name or " " in name or names.count(name) > 1:
            raise ExpressionError(
                f"ff.vary({source!r}, ...): a shift cannot be called {name!r}: give each a name of "
                "its own without spaces, for a variation is called by its source, a space and this."
            )


def _only(what: str, shift: n.Node, nominal: n.Node) -> n.Node:
    """Return what is shifted in data or in simulation alone."""
    if what not in ("data", "simulation"):
        raise ExpressionError(f"only={what!r}: a variation is of 'data' or of 'simulation' only.")
    choices = (shift, nominal) if what == "simulation" else (nominal, shift)
    return n.Apply("where", (is_simulation.node, *choices))


def _number(source: str, value: Operand) -> n.Node:
    node = as_node(value)
    if kind_of(node) == "string":
        raise ExpressionError(
            f"ff.vary({source!r}, ...): {brief(node)} is a string, and only numbers and truth "
            "values are varied."
        )
    return node


def variations_in(tops: Iterable[n.Part]) -> tuple[Variation, ...]:
    """Return the variations of some expressions, in the order in which they come.

    Raises AnalysisError where a source has other shifts in one of them than in another.
    """
    shifts: dict[str, n.Varied] = {}
    for top in tops:
        for node in _varied_in(top):
            known = shifts.setdefault(node.source, node)
            if known.shifts != node.shifts:
                raise AnalysisError(
                    f"Variation {node.source!r} has the shifts {', '.join(known.shifts)} of "
                    f"{brief(known.nominal)}, and {', '.join(node.shifts)} of "
                    f"{brief(node.nominal)}: what has one name is shifted together, so give both "
                    "the same shifts, or two names."
                )
    return tuple(Variation(name, s) for name, node in shifts.items() for s in node.shifts)


@lru_cache(maxsize=1024)  # another plan of the session has most of its expressions in common
def _varied_in(top: n.Part) -> tuple[n.Varied, ...]:
    return tuple(part for part in n.parts(top) if isinstance(part, n.Varied))


P = TypeVar("P", bound=n.Part)
Made = Callable[[n.Part], n.Part]
"""Gives what was made of a part that is inside another."""


def shifted(top: P, variation: Variation | None) -> P:
    """Return an expression or axis as it is in a variation, or nominally for None."""
    return _shifted(top, variation) if _varied_in(top) else top


@lru_cache(maxsize=4096)
def _shifted(top: P, variation: Variation | None) -> P:
    def change(part: n.Part, made: Made) -> n.Part:
        return _chosen(part, variation, made) if isinstance(part, n.Varied) else part.map(made)

    return n.rebuilt(top, change)  # type: ignore[return-value]  # another node in its place, or axis


def _chosen(part: n.Varied, variation: Variation | None, made: Made) -> n.Part:
    """Return what stands in the place of a varied quantity; a number for each of its elements."""
    choice = part.nominal
    if variation is not None and variation.source == part.source:
        choice = part.shifted[part.shifts.index(variation.shift)]
    if not isinstance(choice, n.Literal) or part.axis == n.EVENT:
        return made(choice)
    spread = next(each for each in (part.nominal, *part.shifted) if not isinstance(each, n.Literal))
    along = made(spread)
    assert isinstance(along, n.Node)
    if isinstance(choice, n.Quantity):  # what number it is, the units of the file will say
        return n.Apply("where", (n.Literal(True), choice, along))
    return n.Constant(along.axis, choice.value)


def chosen(known: Sequence[Variation], names: Iterable[str]) -> frozenset[Variation]:
    """Return the variations of these sources, or single ones of these labels.

    Raises AnalysisError for a name of neither.
    """
    found: set[Variation] = set()
    for name in names:
        own = {each for each in known if name in (each.source, each.label)}
        if not own:
            all_names = [*dict.fromkeys(each.source for each in known), *(v.label for v in known)]
            raise AnalysisError(
                f"There is no source of variations {name!r}.{did_you_mean(name, all_names)} "
                f"There are {', '.join(all_names) or 'none'}."
            )
        found |= own
    return frozenset(found)


def restricted(top: P, kept: frozenset[Variation]) -> P:
    """Return an expression or axis that has only these variations."""
    if not _varied_in(top):
        return top

    def change(part: n.Part, made: Made) -> n.Part:
        new = part.map(made)
        return _with_shifts(new, kept) if isinstance(new, n.Varied) else new

    return n.rebuilt(top, change)  # type: ignore[return-value]  # another node in its place, or axis


def _with_shifts(node: n.Varied, kept: frozenset[Variation]) -> n.Node:
    both = zip(node.shifts, node.shifted, strict=True)
    left = {shift: each for shift, each in both if Variation(node.source, shift) in kept}
    if not left:
        return node.nominal
    return n.Varied(node.source, node.nominal, tuple(left), tuple(left.values()))
