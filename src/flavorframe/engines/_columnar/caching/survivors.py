"""Survivors that compute an expression only on candidates whose value is not cached."""

from __future__ import annotations

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array, Strings
from flavorframe.engines._columnar.caching.cacheable import is_cacheable, links_in
from flavorframe.engines._columnar.caching.partition_cache import PartitionCache
from flavorframe.engines._columnar.caching.values import (
    cached_column,
    cached_values,
    keep_values,
)
from flavorframe.engines._columnar.candidates import Candidates
from flavorframe.engines._columnar.compute import apply
from flavorframe.engines._columnar.depth import MAX_RECURSION
from flavorframe.engines._columnar.segments import find_sorted
from flavorframe.engines._columnar.state import CutCandidates, State
from flavorframe.engines._columnar.survivors import Survivors, Weights
from flavorframe.engines._columnar.values import Values


class CachedSurvivors(Survivors):
    """Survivors that look for values on candidates in the cache before they compute them."""

    def __init__(self, state: State, cache: PartitionCache, weights: Weights | None = None) -> None:
        super().__init__(state, weights)
        self._cache = cache

    def values(self, node: n.Node, axis: n.Axis) -> Values:
        """Return the node's values on an axis, from the cache where they are there."""
        if axis != node.axis:
            return super().values(node, axis)
        if isinstance(node, n.Column) and axis == self.facts.candidates != n.EVENT:
            found = cached_column(self._cache, node, self.state.candidates.numbers)
            return super().values(node, axis) if found is None else found
        if not is_cacheable(node, self.facts):
            return super().values(node, axis)
        return self._cached(node)

    def _cached(self, node: n.Node) -> Values:
        """Return the node's values on the living candidates, and compute those not in the cache."""
        numbers, found = self.state.candidates.numbers, cached_values(self._cache, node)
        if found is None:
            return self._computed(node)
        at = find_sorted(found[0], numbers)
        missing = np.flatnonzero(at < 0)
        if len(missing) == len(numbers) > 0:
            return self._computed(node)
        if len(missing):
            self._only(self.state.candidates.take(missing))._computed(node)
            found = cached_values(self._cache, node) or found
            at = find_sorted(found[0], numbers)
        if at.min(initial=0) < 0 or not self._count_links(node):
            return self._computed(node)
        return found[1][at]

    def _computed(self, node: n.Node) -> Values:
        """Compute the node's values on the living candidates, and keep them."""
        candidates = self.state.candidates
        values = _from_columns(node, candidates, self._cache)
        if values is None:
            values = super().values(node, self.facts.candidates)
        if not isinstance(values.data, Strings):
            keep_values(self._cache, node, candidates.numbers, values)
        return values

    def _only(self, candidates: Candidates) -> CachedSurvivors:
        """Return survivors of these candidates alone, without weights or a count of links."""
        alone = CutCandidates(self.views.counting(None), Candidates(candidates.numbers))
        return CachedSurvivors(alone, self._cache)

    def _count_links(self, node: n.Node) -> bool:
        """Count the links that the node would make; return whether all of them are known."""
        if self.links is None:
            return True
        numbers = self.state.candidates.numbers
        known: dict[str, Array] = {}
        for name, link in links_in(node):
            if name in self.links.counts:
                continue
            found = cached_values(self._cache, link)
            at = None if found is None else find_sorted(found[0], numbers)
            if found is None or at is None or at.min(initial=0) < 0:
                return False
            known.setdefault(name, found[1].array.take(at))
        for name, matches in known.items():
            self.links.count(name, matches)
        return True


def _from_columns(node: n.Node, candidates: Candidates, cache: PartitionCache) -> Values | None:
    """Return the values of a node where they follow from values of columns in memory."""
    if isinstance(node, n.Literal):
        return Values(np.asarray(node.value))
    if isinstance(node, n.Column):
        return cached_column(cache, node, candidates.numbers)
    if not isinstance(node, n.Apply) or node.height > MAX_RECURSION:
        return None
    values = [_from_columns(argument, candidates, cache) for argument in node.arguments]
    found = [each for each in values if each is not None]
    return apply(node, found) if len(found) == len(values) else None
