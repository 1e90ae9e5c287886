"""The two kinds of graph that RDataFrame has: of this process, and of a cluster's workers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from flavorframe.engine.rdataframe.ledger import Array
from flavorframe.engine.rdataframe.root import root


class Graph(Protocol):
    """How nodes are booked, and what comes back from them."""

    def head(self, frame: Any) -> Any:
        """Return the node that everything is booked on."""

    def survivors(self, node: Any, state: str, cut: str) -> Any:
        """Return a node of the events whose state is alive."""

    def ledger(self, node: Any, column: str, entries: str, size: int) -> Any:
        """Book the sums of a ledger: of ``column``, whose amounts are ``entries``."""

    def amounts(self, booked: Any, size: int) -> Array:
        """Return the sums by address; the first time, this runs the loop."""

    def rows(self, node: Any, column: str) -> Any:
        """Book the collection of a column of words."""

    def words(self, booked: Any) -> tuple[Array, Array]:
        """Return the words of all events, and how many each event has."""


class HereGraph:
    """A graph of this process: what all plans have in common is compiled once."""

    def __init__(self) -> None:
        self._root = root()

    def head(self, frame: Any) -> Any:
        """Return the node that everything is booked on."""
        return self._root.RDF.AsRNode(frame)

    def survivors(self, node: Any, state: str, cut: str) -> Any:
        """Return a node of the events whose state is alive."""
        return self._root.flavorframe.survivors(self.head(node), state, cut)

    def ledger(self, node: Any, column: str, entries: str, size: int) -> Any:
        """Book the sums of a ledger."""
        ours = self._root.flavorframe
        add_up = ours.added_up_entries if column == entries else ours.added_up_states
        return add_up(self.head(node), column, size)

    def amounts(self, booked: Any, size: int) -> Array:
        """Return the sums by address."""
        return _copied(booked.GetValue().sums.data(), np.float64, size)

    def rows(self, node: Any, column: str) -> Any:
        """Book the collection of a column of words."""
        return self._root.flavorframe.taken(self.head(node), column)

    def words(self, booked: Any) -> tuple[Array, Array]:
        """Return the words of all events, and how many each event has."""
        joined = self._root.flavorframe.Words(booked.GetValue())
        return _integers(joined.words), _integers(joined.counts)


class ClusterGraph:
    """A distributed graph, which knows ROOT's own results only: ledgers are histograms."""

    def head(self, frame: Any) -> Any:
        """Return the node that everything is booked on."""
        return frame

    def survivors(self, node: Any, state: str, cut: str) -> Any:
        """Return a node of the events whose state is alive."""
        return node.Filter(f"{state}.alive", cut)

    def ledger(self, node: Any, column: str, entries: str, size: int) -> Any:
        """Book the sums of a ledger, as a histogram with a bin for each address."""
        node = node.Define(f"{column}_at", f"{entries}.address")
        node = node.Define(f"{column}_by", f"{entries}.amount")
        return node.Histo1D((column, column, size, 0, size), f"{column}_at", f"{column}_by")

    def amounts(self, booked: Any, size: int) -> Array:
        """Return the sums by address."""
        return _copied(booked.GetValue().GetArray(), np.float64, size + 2)[1:-1]

    def rows(self, node: Any, column: str) -> Any:
        """Book the collection of a column of words."""
        return column, node.AsNumpy([column], lazy=True)

    def words(self, booked: Any) -> tuple[Array, Array]:
        """Return the words of all events, and how many each event has."""
        column, gathered = booked
        events = [np.asarray(event, np.int64) for event in gathered.GetValue()[column]]
        counts = np.array([len(event) for event in events], np.int64)
        return np.concatenate(events or [np.zeros(0, np.int64)]), counts


def _integers(vector: Any) -> Array:
    if not vector.size():
        return np.zeros(0, np.int64)
    return _copied(vector.data(), np.int64, vector.size())


def _copied(memory: Any, kind: type[np.generic], size: int) -> Array:
    """Return numbers that belong to ROOT as an array of their own."""
    copied: Array = np.array(np.frombuffer(memory, kind, count=size))
    return copied
