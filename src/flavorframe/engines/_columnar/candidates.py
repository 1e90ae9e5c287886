"""Candidates by number: each keeps its own while others die, in every view of a partition."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from flavorframe._rootio.arrays import Array
from flavorframe._rootio.list_indices import spread
from flavorframe.engines._columnar.segments import first_of_each

IN_EVENT = 32
"""The bits of a number that tell the candidates of an event apart."""


class Candidates:
    """Some candidates of a partition, in the order of the data.

    A number is made of the event's position in the partition and the candidate's index in its
    event, so numbers are sorted. Candidates that were taken from others know which these were:
    ``root`` are the first of them, and ``at`` the positions there.
    """

    def __init__(self, numbers: Array) -> None:
        """``numbers`` must be sorted."""
        self.numbers = numbers
        self.root: Candidates = self
        self.at: Array | None = None

    @classmethod
    def of(cls, events: Array, local: Array) -> Candidates:
        """Return the candidates with these positions of events, and indices in them."""
        return cls(events << IN_EVENT | local)

    def take(self, kept: Array) -> Candidates:
        """Return those at some positions, which must be sorted."""
        return self.root.chosen(kept if self.at is None else self.at.take(kept))

    def chosen(self, at: Array) -> Candidates:
        """Return some of a root, at sorted positions there."""
        taken = Candidates(self.numbers.take(at))
        taken.root, taken.at = self, at
        return taken

    @cached_property
    def first(self) -> Array:
        """The position of the first candidate of each event that has any."""
        return first_of_each(self.numbers >> IN_EVENT)

    @cached_property
    def events(self) -> Array:
        """The positions in the partition of the events that have any."""
        events: Array = self.numbers.take(self.first) >> IN_EVENT
        return events

    @cached_property
    def counts(self) -> Array:
        """How many each of these events has."""
        return np.diff(self.first, append=len(self))

    @cached_property
    def event(self) -> Array:
        """The position of each candidate's event among them."""
        return spread(self.counts)

    @cached_property
    def local(self) -> Array:
        """The index of each in its event, in the file's numbering."""
        local: Array = self.numbers & ((1 << IN_EVENT) - 1)
        return local

    def __len__(self) -> int:
        return len(self.numbers)
