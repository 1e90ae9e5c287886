"""Variations: quantities that are shifted, together where they have one source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._expr.formula import brief
from flavorframe._expr.kinds import kind_of
from flavorframe.errors import AnalysisError, ExpressionError

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
        **shifts: The same in each variation, such as ``up=`` and ``down=``, on the same axis and
            in the same unit; a number stands for all elements.

    Returns:
        An expression. Histograms that it has a part in get an axis of variations, of which
        ``"nominal"`` is the first; ``"muon ID up"`` is one of the others.

    Raises:
        ExpressionError: There is no shift, or one has another axis, or is a string.

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
    first, *others = (_number(source, value) for value in (nominal, *varied.values()))
    return Expr(n.Varied(source, first, tuple(varied), tuple(others)))


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


def shifted(top: P, variation: Variation | None) -> P:
    """Return an expression or axis as it is in a variation, or nominally for None."""
    return _shifted(top, variation) if _varied_in(top) else top


@lru_cache(maxsize=4096)
def _shifted(top: P, variation: Variation | None) -> P:
    made: dict[n.Part, n.Part] = {}
    for part in n.parts(top):
        made[part] = _chosen(part, variation, made) if isinstance(part, n.Varied) else (
            part.map(made.__getitem__)
        )  # fmt: skip
    return made[top]  # type: ignore[return-value]  # another node in its place, or axis


def _chosen(part: n.Varied, variation: Variation | None, made: Mapping[n.Part, n.Part]) -> n.Part:
    """Return what stands in the place of a varied quantity; a number for each of its elements."""
    if variation is None or variation.source != part.source:
        return made[part.nominal]
    found = made[part.shifted[part.shifts.index(variation.shift)]]
    nominal = made[part.nominal]
    assert isinstance(nominal, n.Node)
    if isinstance(found, n.Literal) and nominal.axis != n.EVENT:
        return n.Constant(nominal.axis, found.value)
    return found
