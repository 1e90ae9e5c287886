"""The two kinds of graph that RDataFrame has: of this process, and of a cluster's workers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from flavorframe.engines._rdataframe.codegen.program import Function, Program
from flavorframe.engines._rdataframe.codegen.totals import Array
from flavorframe.engines._rdataframe.runtime.root import root, snapshot_rows


class Graph(Protocol):
    """How nodes are booked, and what comes back from them."""

    @property
    def first(self) -> Any:
        """The state before the first function."""

    def state(self, state: Any) -> str:
        """Return the C++ of a state."""

    def step(self, node: Any, state: Any, name: str, step: Function) -> tuple[Any, Any, Any]:
        """Return the node of the events that survive a function, their state, and booked totals.

        No other step has the ``name``.
        """

    def totals(self, booked: Any, size: int) -> Array:
        """Return the totals of a function; the first time, this runs the loop."""

    def rows(self, node: Any, column: str) -> Any:
        """Book the collection of a column of words."""

    def words(self, booked: Any) -> tuple[Array, Array]:
        """Return the words of all events, and how many each event has."""


class LocalGraph:
    """A graph of this process: each slot of the loop has its states and totals.

    A step is a filter that changes its state in place, so that events cost no memory.
    """

    def __init__(self, frame: Any, program: Program) -> None:
        self._frame, self._program = frame, program
        self._states, self._totals = 1, 0
        self._nodes: list[Any] = []
        self._found: Array | None = None

    @property
    def first(self) -> int:
        """The state before the first function."""
        return 0

    def state(self, state: Any) -> str:
        """Return the C++ of a state."""
        return f"{self._program.helper('state_of')}(rdfslot_, {state})"

    def step(self, node: Any, state: Any, name: str, step: Function) -> tuple[Any, Any, Any]:
        """Return the node of the events that survive a function, their state, and booked totals.

        The loop evaluates each filter that has a name and is still there.
        """
        after, place = self._states, self._totals
        self._states += 1
        self._totals += step.totals.size
        numbers = ["rdfslot_", str(state), str(after), str(place)]
        arguments = ", ".join([*numbers, self._program.called(step), *step.columns])
        helper = self._program.helper
        node = node.Filter(f"{helper('run_step')}({arguments})", helper(name))
        self._nodes.append(node)
        return node, after, place

    def totals(self, booked: Any, size: int) -> Array:
        """Return the totals of a function; the first time, this runs the loop."""
        if self._found is None:
            self._found = self._run()
        return self._found[booked : booked + size]

    def _run(self) -> Array:
        """Run the loop, and return the totals of all slots, added up."""
        module, slots = root(), self._frame.GetNSlots()
        ours = module.flavorframe
        ours.set_slots(slots, self._states, self._totals)
        trigger = module.Internal.RDF.TriggerRun
        trigger.__release_gil__ = True  # models are evaluated in Python, from the loop's threads
        trigger(module.RDF.AsRNode(self._frame))
        each = [_copied(ours.totals_of(i), np.float64, self._totals) for i in range(slots)]
        added: Array = np.sum(each, axis=0)
        return added

    def rows(self, node: Any, column: str) -> Any:
        """Book the collection of a column of words."""
        return snapshot_rows().book_rows(root().RDF.AsRNode(node), column)

    def words(self, booked: Any) -> tuple[Array, Array]:
        """Return the words of all events, and how many each event has."""
        joined = snapshot_rows().Words(booked.GetValue())
        return _integers(joined.words), _integers(joined.counts)


class ClusterGraph:
    """A distributed graph, which can only return ROOT's own results: the totals are histograms."""

    def __init__(self, program: Program) -> None:
        self._program = program

    @property
    def first(self) -> str:
        """The state before the first function."""
        return f"{self._program.helper('State')}()"

    def state(self, state: Any) -> str:
        """Return the C++ of a state."""
        return str(state)

    def step(self, node: Any, state: Any, name: str, step: Function) -> tuple[Any, Any, Any]:
        """Return the node of the events that survive a function, their state, and booked totals."""
        helper = self._program.helper
        after, places, amounts = (helper(f"{name}{end}") for end in ("", "_places", "_amounts"))
        arguments = ", ".join([self._program.called(step), state, *step.columns])
        node = node.Define(after, f"{helper('after')}({arguments})")
        entries = node.Define(places, f"{helper('places_of')}({after})")
        entries = entries.Define(amounts, f"{helper('amounts_of')}({after})")
        size = step.totals.size
        totals = entries.Histo1D((after, after, size, 0, size), places, amounts)
        return node.Filter(f"{helper('is_alive')}({after})", after), after, totals

    def totals(self, booked: Any, size: int) -> Array:
        """Return the totals of a function; the first time, this runs the loop."""
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
