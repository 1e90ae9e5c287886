"""The two kinds of graph that RDataFrame has: of this process, and of a cluster's workers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from flavorframe.engines._rdataframe.codegen.ledger import Array
from flavorframe.engines._rdataframe.codegen.program import Function
from flavorframe.engines._rdataframe.runtime.root import root, taking


class Graph(Protocol):
    """How nodes are booked, and what comes back from them."""

    @property
    def first(self) -> Any:
        """The state before the first function."""

    def state(self, state: Any) -> str:
        """Return the C++ of a state."""

    def step(
        self, node: Any, state: Any, name: str, function: str, step: Function
    ) -> tuple[Any, Any, Any]:
        """Return the node of the events that survive a function, their state, and booked sums.

        ``name`` is one that no other step has, ``function`` the function's with its namespace.
        """

    def amounts(self, booked: Any, size: int) -> Array:
        """Return the sums of a ledger by address; the first time, this runs the loop."""

    def rows(self, node: Any, column: str) -> Any:
        """Book the collection of a column of words."""

    def words(self, booked: Any) -> tuple[Array, Array]:
        """Return the words of all events, and how many each event has."""


class HereGraph:
    """A graph of this process: each slot of the loop has a desk with its states and ledgers.

    A step is a filter that changes its state in place, so that events cost no memory.
    """

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self._states, self._addresses = 1, 0
        self._nodes: list[Any] = []
        self._amounts: Array | None = None

    @property
    def first(self) -> int:
        """The state before the first function."""
        return 0

    def state(self, state: Any) -> str:
        """Return the C++ of a state."""
        return f"flavorframe::desks[rdfslot_].states[{state}]"

    def step(
        self, node: Any, state: Any, name: str, function: str, step: Function
    ) -> tuple[Any, Any, Any]:
        """Return the node of the events that survive a function, their state, and booked sums.

        The loop evaluates each filter that has a name and is still there.
        """
        after, ledger = self._states, self._addresses
        self._states += 1
        self._addresses += step.ledger.size
        arguments = ["rdfslot_", str(state), str(after), str(ledger), function, *step.columns]
        node = node.Filter(f"flavorframe::step({', '.join(arguments)})", name)
        self._nodes.append(node)
        return node, after, ledger

    def amounts(self, booked: Any, size: int) -> Array:
        """Return the sums of a ledger by address; the first time, this runs the loop."""
        if self._amounts is None:
            self._amounts = self._run()
        return self._amounts[booked : booked + size]

    def _run(self) -> Array:
        """Run the loop, and return the amounts of all slots, added up."""
        module, slots = root(), self._frame.GetNSlots()
        ours = module.flavorframe
        ours.set_desks(slots, self._states, self._addresses)
        module.Internal.RDF.TriggerRun(module.RDF.AsRNode(self._frame))
        desks = [_copied(ours.amounts_of(i), np.float64, self._addresses) for i in range(slots)]
        added: Array = np.sum(desks, axis=0)
        return added

    def rows(self, node: Any, column: str) -> Any:
        """Book the collection of a column of words."""
        return taking().taken(root().RDF.AsRNode(node), column)

    def words(self, booked: Any) -> tuple[Array, Array]:
        """Return the words of all events, and how many each event has."""
        joined = taking().Words(booked.GetValue())
        return _integers(joined.words), _integers(joined.counts)


class ClusterGraph:
    """A distributed graph, which knows ROOT's own results only: ledgers are histograms."""

    @property
    def first(self) -> str:
        """The state before the first function."""
        return "flavorframe::State()"

    def state(self, state: Any) -> str:
        """Return the C++ of a state."""
        return str(state)

    def step(
        self, node: Any, state: Any, name: str, function: str, step: Function
    ) -> tuple[Any, Any, Any]:
        """Return the node of the events that survive a function, their state, and booked sums."""
        arguments = ", ".join([function, state, *step.columns])
        node = node.Define(name, f"flavorframe::after({arguments})")
        entries = node.Define(f"{name}_at", f"{name}.entries.address")
        entries = entries.Define(f"{name}_by", f"{name}.entries.amount")
        size = step.ledger.size
        sums = entries.Histo1D((name, name, size, 0, size), f"{name}_at", f"{name}_by")
        return node.Filter(f"{name}.alive", name), name, sums

    def amounts(self, booked: Any, size: int) -> Array:
        """Return the sums of a ledger by address; the first time, this runs the loop."""
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
