"""Generated particles above and below others, as nested collections."""

from __future__ import annotations

from flavorframe._expr import nodes as n
from flavorframe._expr.collection import Collection
from flavorframe._expr.expression import Expr
from flavorframe._expr.formula import brief
from flavorframe._expr.nesting import refuse_nested_axis
from flavorframe._expr.objects import element, is_object
from flavorframe.errors import ExpressionError

GENERATED = n.CollectionAxis("gen_part")
"""The collection of generated particles."""

LINKS = ("gen", "gen_part", "mother")
"""The links that lead to it."""


def every_particle() -> Collection:
    """Return all generated particles of an event."""
    return Collection(element(GENERATED))


def ancestors(particle: Expr) -> Collection:
    """Return, for each of some generated particles, those that it comes from.

    These are its mother, the mother of that, and so on, copies included, in the order of the file,
    in which mothers come first as a rule.

    Args:
        particle: Generated particles: ``events.gen_part``, a part of these, or what a link leads
            to, such as ``muon.gen`` or ``t.mu1.gen``.

    Returns:
        A collection on a nested axis: reductions give one value for each particle.

    Raises:
        ExpressionError: They are no generated particles, or are on a nested axis already.

    Example:
        >>> import flavorframe as ff
        >>> muon = ff.events().muon
        >>> above = ff.ancestors(muon.gen)
        >>> selection = ff.Selection(muon).cut("from B0", (abs(above.pdg_id) == 511).any())
    """
    every, index = _beside(particle, "ancestors")
    mother = every_particle().mother.index
    return _where(every, Expr(n.IsAncestor(every.index.node, index.node, mother.node)))


def children(particle: Expr) -> Collection:
    """Return, for each of some generated particles, those whose mother it is in the file.

    A particle of which there is a copy has that as a child.

    Args:
        particle: Generated particles, as for `ancestors`.

    Returns:
        A collection on a nested axis: reductions give one value for each particle.

    Raises:
        ExpressionError: They are no generated particles, or are on a nested axis already.

    Example:
        >>> import flavorframe as ff
        >>> particle = ff.events().gen_part
        >>> photons = (ff.children(particle).pdg_id == 22).count()
    """
    every, index = _beside(particle, "children")
    return _where(every, every.mother.index == index)


def _beside(particle: Expr, function: str) -> tuple[Collection, Expr]:
    """Return all generated particles for each of some, and the index of the latter."""
    shown = brief(particle.node) if isinstance(particle, Expr) else repr(particle)
    called = f"ff.{function}({shown})"
    if isinstance(particle, Expr):
        refuse_nested_axis(particle.axis, called)
    if not _is_generated(particle):
        raise ExpressionError(
            f"{called} takes generated particles, such as events.gen_part or muon.gen."
        )
    if particle.axis == n.EVENT:
        return every_particle(), particle.index
    return Collection(element(n.Per(particle.axis, GENERATED))), particle.index


def _is_generated(particle: object) -> bool:
    if not isinstance(particle, Expr):
        return False
    if isinstance(particle, Collection):
        return n.lineage(particle.axis)[0] == GENERATED
    field = n.innermost(particle.node)
    if is_object(particle.node):
        return isinstance(field, n.Field) and field.on == GENERATED
    return isinstance(field, n.Field) and field.path[-1] in LINKS


def _where(every: Collection, mask: Expr) -> Collection:
    found = every[mask]
    assert isinstance(found, Collection)
    return found
