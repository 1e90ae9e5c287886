"""A program as one graph of RDataFrame: everything is booked before the single loop over events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flavorframe.engines._rdataframe.codegen.ledger import Array, Ledger
from flavorframe.engines._rdataframe.codegen.program import Function, Program
from flavorframe.engines._rdataframe.runtime.graphs import Graph


@dataclass
class Booked:
    """What a graph was asked for, in the order of the program."""

    ledgers: list[tuple[Ledger, Any]] = field(default_factory=list)
    rows: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sums:
    """What a loop gave: the amounts of each ledger by address, and of each snapshot its words.

    With the words of all events comes how many each event has.
    """

    ledgers: list[tuple[Ledger, Array]]
    rows: dict[str, tuple[Array, Array]]


def sums(booked: Booked, graph: Graph) -> Sums:
    """Run the loop, and return what was booked on its graph."""
    ledgers = [(ledger, graph.amounts(at, ledger.size)) for ledger, at in booked.ledgers]
    return Sums(ledgers, {name: graph.words(rows) for name, rows in booked.rows.items()})


def book(frame: Any, program: Program, graph: Graph) -> Booked:
    """Book a program on a frame."""
    for name, column in program.aliases:
        frame = frame.Alias(name, column)
    return _Booking(program, graph).book(frame)


class _Booking:
    def __init__(self, program: Program, graph: Graph) -> None:
        self._program, self._graph = program, graph
        self._booked = Booked()

    def book(self, frame: Any) -> Booked:
        program, state = self._program, self._graph.first
        for position, step in enumerate([program.start, *program.steps]):
            for number, fork in enumerate(program.forks):
                if fork.position == position - 1:
                    self._fork(frame, state, number)
            frame, state = self._step(frame, state, f"ff_{position}", step)
        if program.outputs is not None:
            self._step(frame, state, "ff_outputs", program.outputs)
        self._rows(frame, state)
        return self._booked

    def _fork(self, frame: Any, state: Any, number: int) -> None:
        """Book the steps after the one that is left out, and the histograms of what is left."""
        fork, names = self._program.forks[number], f"ff_without_{number}"
        for position in range(fork.position + 1, len(self._program.steps)):
            step = self._program.steps[position]
            frame, state, _ = self._graph.step(
                frame, state, f"{names}_{position}", self._function(step), step
            )
        self._step(frame, state, f"{names}_outputs", fork.outputs)

    def _step(self, frame: Any, state: Any, name: str, step: Function) -> tuple[Any, Any]:
        """Book a function and the sums of its ledger."""
        frame, after, sums = self._graph.step(frame, state, name, self._function(step), step)
        self._booked.ledgers.append((step.ledger, sums))
        return frame, after

    def _rows(self, frame: Any, state: Any) -> None:
        if self._program.snapshots:
            name = "flavorframe::fingerprint(rdfsampleinfo_.AsString())"
            frame = frame.DefinePerSample("ff_file", name)
        for number, (name, function) in enumerate(self._program.snapshots):
            arguments = [self._graph.state(state), "ff_file", "rdfentry_", *function.columns]
            words = f"ff_rows_{number}"
            rows = frame.Define(words, f"{self._function(function)}({', '.join(arguments)})")
            self._booked.rows[name] = self._graph.rows(rows, words)

    def _function(self, function: Function) -> str:
        return f"{self._program.namespace}::{function.name}"
