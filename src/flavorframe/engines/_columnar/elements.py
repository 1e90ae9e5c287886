"""The elements of an axis in a view: how many each list has, and their positions.

There is a list in each event or, on a nested axis, for each element of the outer axis.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from flavorframe._rootio.arrays import Array
from flavorframe._rootio.list_indices import ranges, spread
from flavorframe.engines._columnar.candidates import Candidates


class Elements:
    """The elements of an axis in a view, sorted by event and list.

    ``counts`` has how many each list has, and ``parents`` the positions, in this view, of what
    they are made from. In the surviving view ``full`` has their positions in the full view, and
    ``local`` their indices in the file's numbering.
    """

    def __init__(
        self,
        counts: Array,
        parents: tuple[Array, ...] = (),
        kept: Array | None = None,
        local: Array | None = None,
    ) -> None:
        """Without ``kept`` and ``local`` the elements are all that the full view has."""
        self.counts = counts
        self._parents, self._kept, self._local = parents, kept, local

    @property
    def parents(self) -> tuple[Array, ...]:
        """The positions of what the elements are made from."""
        return self._parents

    @cached_property
    def owner(self) -> Array:
        """The position of what has the list of each element: its event, or its outer element."""
        return spread(self.counts)

    @cached_property
    def starts(self) -> Array:
        """Where each list begins."""
        starts: Array = np.cumsum(self.counts) - self.counts
        return starts

    @cached_property
    def full(self) -> Array:
        """The position of each element in the full view."""
        return np.arange(len(self)) if self._kept is None else self._kept

    @cached_property
    def local(self) -> Array:
        """The index of each element in its list, in the file's numbering."""
        if self._local is not None:
            return self._local
        return ranges(np.zeros(len(self.counts), np.int64), self.counts)

    @cached_property
    def size(self) -> int:
        """How many elements there are."""
        return int(self.counts.sum())

    def __len__(self) -> int:
        return self.size

    def restricted(self, kept: Array, parents: tuple[Array, ...] = ()) -> Elements:
        """Return the elements of the full view at the positions ``kept``."""
        return Elements(self.counted(kept), parents, kept, self.local.take(kept))

    def counted(self, positions: Array) -> Array:
        """Return how many of the elements at some positions each list has."""
        return np.bincount(self.owner.take(positions), minlength=len(self.counts))


class LivingCandidates(Elements):
    """The living candidates as elements of the surviving view.

    Most follows from their numbers; the full view is needed only for the rest.
    """

    def __init__(self, candidates: Candidates, whole: Callable[[], Elements]) -> None:
        """``whole`` gives the elements of the full view, whose events all have a candidate."""
        super().__init__(candidates.counts)
        self._candidates, self._whole = candidates, whole

    @cached_property
    def parents(self) -> tuple[Array, ...]:
        """The positions of what the candidates are made from."""
        return tuple(members.take(self.full) for members in self._whole().parents)

    @cached_property
    def owner(self) -> Array:
        """The position of each candidate's event in the view."""
        return self._candidates.event

    @cached_property
    def full(self) -> Array:
        """The position of each candidate in the full view."""
        positions: Array = self._whole().starts.take(self.owner) + self.local
        return positions

    @cached_property
    def local(self) -> Array:
        """The index of each candidate in its event, in the file's numbering."""
        return self._candidates.local


class NestedElements(Elements):
    """The elements of nested lists in the surviving view.

    Where they are in the full view, which has those of dead candidates too, is found when asked.
    """

    def __init__(
        self,
        counts: Array,
        parents: tuple[Array, ...],
        starts_in_full: Callable[[], Array],
        local: Array | None = None,
    ) -> None:
        """``starts_in_full`` gives where the same lists start in the full view."""
        super().__init__(counts, parents, local=local)
        self._starts_in_full = starts_in_full

    @cached_property
    def full(self) -> Array:
        """The position of each element in the full view."""
        positions: Array = self._starts_in_full().take(self.owner) + self.local
        return positions
