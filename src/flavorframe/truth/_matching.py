"""Conditions for the particles behind a candidate to be those of a decay."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import combinations, permutations
from operator import and_, or_

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr
from flavorframe._expr.formula import brief
from flavorframe._expr.functions import where
from flavorframe._expr.objects import field_of
from flavorframe.errors import ExpressionError
from flavorframe.truth._decay import Decaying, read_decay
from flavorframe.truth._family import GENERATED, every_particle

PHOTON = 22


def truth_matched(decay: str, *legs: Expr) -> Expr:
    """Return whether the particles behind a candidate's legs come from a decay.

    Each leg leads to a generated particle by its link ``gen``. These must be different particles,
    those of the decay in any order, and their mothers, and the mothers of these, those that the
    decay says. Nothing else may come from a decaying particle but photons. The decay of all
    antiparticles counts as well. Of the copies of a particle that generators make, one after the
    other with the same ``pdg_id``, all are the same particle.

    Args:
        decay: The decay, such as ``"Ds+ -> phi(-> mu+ mu-) pi+"``; particles by the names that
            `particle_mass` takes, with their charges.
        legs: What the final particles were measured as, such as ``t.mu1``: as many as the decay
            has.

    Returns:
        A condition on the joint axis of the legs; false where a leg leads to no particle.

    Raises:
        ExpressionError: The decay is none, or has another number of final particles.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> ff.truth_matched("Ds+ -> phi(-> mu+ mu-) pi+", t.mu1, t.mu2, t.track)
        <truth_matched('Ds+ -> phi(-> mu+ mu-) pi+', triplet.mu1, triplet.mu2, triplet.track), one
         value per triplet>
    """
    tree = read_decay(decay)
    final = [*tree.final]
    names = [_name_of(leg) for leg in legs]
    if len(legs) != len(final):
        raise ExpressionError(
            f"ff.truth_matched({decay!r}): the decay has {len(final)} final particles, "
            f"{' '.join(each.particle.name for each in final)}, and {len(legs)} legs are given"
            f"{': ' if names else ''}{', '.join(names)}."
        )
    particles = _Particles()
    own = [particles.first_copy_of(leg.gen.index) for leg in legs]
    any_way = reduce(or_, _ways(particles, tree, own))
    holds = reduce(and_, [a != b for a, b in combinations(own, 2)], any_way)
    # An index that is not there makes false of what is missing.
    found = where(holds, own[0], -1)
    named = f"truth_matched({', '.join([repr(decay), *names])})"
    return Expr(n.Named(n.Found(particles.axis, found.node), named))


def _name_of(leg: Expr) -> str:
    if not isinstance(leg, Expr) or field_of(leg.node, "gen") is None:
        raise ExpressionError(
            f"ff.truth_matched() takes the objects that are candidates' legs, such as t.mu1, not "
            f"{leg!r}."
        )
    return brief(leg.node)


class _Particles:
    """The generated particles of an event, and where they come from."""

    def __init__(self) -> None:
        self.axis, every = GENERATED, every_particle()
        self._pdg_id = every.pdg_id
        self._first = Expr(n.FirstCopy(every.mother.index.node, self._pdg_id.node))
        self._origin = self.first_copy_of(self._at(self._first, every.mother.index))
        is_first = self._first == every.index
        counted = is_first & (self._pdg_id != PHOTON)
        self._products = Expr(n.Pointing(self.axis, self._origin.node, counted.node))

    def _at(self, index: Expr, value: Expr) -> Expr:
        """Return what the particles that an index leads to have."""
        return Expr(n.Gather(value.node, self.axis, index.node))

    def first_copy_of(self, index: Expr) -> Expr:
        """Return the index of the first copy of the particle that an index leads to."""
        return self._at(index, self._first)

    def pdg_id(self, index: Expr) -> Expr:
        """Return what the particle is."""
        return self._at(index, self._pdg_id)

    def origin(self, index: Expr) -> Expr:
        """Return the index of the first copy of what a particle comes from."""
        return self._at(index, self._origin)

    def products(self, index: Expr) -> Expr:
        """Return into how many particles a first copy decays, photons aside."""
        return self._at(index, self._products)


def _ways(particles: _Particles, decay: Decaying, own: list[Expr]) -> Iterator[Expr]:
    """Yield a condition for each way in which particles can be those of the decay."""
    keys = [*_kinds_of_final(decay)]
    alike = [(a, b) for a, b in combinations(range(len(keys)), 2) if keys[a] == keys[b]]
    for order in permutations(range(len(own))):
        if any(order[a] > order[b] for a, b in alike):
            continue  # the same products in another order are the same
        for conjugate in (False, True):
            arranged = iter([own[place] for place in order])
            _, conditions = _follow(particles, decay, arranged, conjugate=conjugate)
            yield reduce(and_, conditions)


def _kinds_of_final(decay: Decaying, at: tuple[int, ...] = ()) -> Iterator[tuple[object, int]]:
    """Yield, for each final particle, where its mother is in the decay, and what it is."""
    for place, each in enumerate(decay.products):
        if each.products:
            yield from _kinds_of_final(each, (*at, place))
        else:
            yield at, int(each.particle.pdgid)


def _follow(
    particles: _Particles, decay: Decaying, own: Iterator[Expr], *, conjugate: bool
) -> tuple[Expr, list[Expr]]:
    """Return the index of what decays, and the conditions for it to be this decay."""
    conditions: list[Expr] = []
    if decay.products:
        indices = []
        for each in decay.products:
            index, below = _follow(particles, each, own, conjugate=conjugate)
            indices.append(index)
            conditions += below
        index = particles.origin(indices[0])
        number = sum(each.particle.pdgid != PHOTON for each in decay.products)
        conditions += [particles.origin(other) == index for other in indices[1:]]
        conditions.append(particles.products(index) == number)
    else:
        index = next(own)
    particle = decay.particle.invert() if conjugate else decay.particle
    return index, [*conditions, particles.pdg_id(index) == int(particle.pdgid)]
