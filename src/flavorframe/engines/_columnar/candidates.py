"""Candidates by number. A candidate keeps its number when others are cut, in both views."""

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
    event, so numbers are sorted.

    Cuts select from the candidates again and again. ``origin`` are the candidates that this chain
    of selections began with, and ``positions`` says which of them these are; None for all.
    """

    def __init__(self, numbers: Array) -> None:
        """``numbers`` must be sorted."""
        self.numbers = numbers
        self.origin: Candidates = self
        self.positions: Array | None = None

    @classmethod
    def of(cls, events: Array, local: Array) -> Candidates:
        """Return the candidates with these positions of events, and indices in them."""
        return cls(events << IN_EVENT | local)

    def take(self, kept: Array) -> Candidates:
        """Return those at some positions, which must be sorted."""
        return self.origin.subset(kept if self.positions is None else self.positions.take(kept))

    def subset(self, positions: Array) -> Candidates:
        """Return those at some sorted positions, with these candidates as their origin."""
        taken = Candidates(self.numbers.take(positions))
        taken.origin, taken.positions = self, positions
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
