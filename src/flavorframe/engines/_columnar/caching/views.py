"""Views that keep their values on candidates in the cache."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array, Strings
from flavorframe.engines._columnar.caching.partition_cache import PartitionCache
from flavorframe.engines._columnar.caching.values import keep_column, keep_values
from flavorframe.engines._columnar.candidates import Candidates
from flavorframe.engines._columnar.links import LinkCounts
from flavorframe.engines._columnar.surviving import SurvivingView
from flavorframe.engines._columnar.values import Values
from flavorframe.engines._columnar.view import FullView
from flavorframe.engines._columnar.views import ViewMaker


@dataclass(frozen=True)
class CachedViewMaker(ViewMaker):
    """Makes surviving views that keep what they read and match."""

    cache: PartitionCache = field(kw_only=True)

    def surviving(self, full: FullView, alive: Candidates | None) -> SurvivingView:
        """Return the view of the living candidates in the events of a full view."""
        return CachedSurvivingView(full, alive, self.links, self.cache)


class CachedSurvivingView(SurvivingView):
    """A surviving view that keeps the values of columns, and how many elements links match."""

    def __init__(
        self,
        whole: FullView,
        alive: Candidates | None,
        links: LinkCounts | None,
        cache: PartitionCache,
    ) -> None:
        super().__init__(whole, alive, links)
        self._cache = cache

    def column(self, column: n.Column) -> Values:
        """Return a column's values on the living candidates."""
        values = super().column(column)
        if not isinstance(values.data, Strings):
            keep_column(self._cache, column, self.candidates.numbers, values.data)
        return values

    def note_matches(self, link: n.Match, matches: Array) -> None:
        """Count the candidates of a link by value by how many elements each of them matches."""
        if link.axis == self.facts.candidates:
            none_one_or_several = Values(np.minimum(matches, 2).astype(np.int8))
            keep_values(self._cache, link, self.candidates.numbers, none_one_or_several)
        super().note_matches(link, matches)
