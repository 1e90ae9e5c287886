"""A program as one graph of RDataFrame: everything is booked before the single loop over events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flavorframe.engine.rdataframe.graphs import Graph
from flavorframe.engine.rdataframe.ledger import Ledger
from flavorframe.engine.rdataframe.program import Function, Program


@dataclass
class Booked:
    """What a graph was asked for, in the order of the program."""

    ledgers: list[tuple[Ledger, Any]] = field(default_factory=list)
    rows: dict[str, Any] = field(default_factory=dict)


def book(frame: Any, program: Program, graph: Graph) -> Booked:
    """Book a program on a frame."""
    return _Booking(program, graph).book(graph.head(frame))


class _Booking:
    def __init__(self, program: Program, graph: Graph) -> None:
        self._program, self._graph = program, graph
        self._booked = Booked()

    def book(self, frame: Any) -> Booked:
        program = self._program
        frame = frame.Define("ff_0", self._call(program.start))
        self._collect(frame, "ff_0", "ff_0.entries", program.start)
        for position, step in enumerate(program.steps):
            for number, fork in enumerate(program.forks):
                if fork.position == position:
                    self._fork(frame, number)
            state = f"ff_{position + 1}"
            frame = frame.Define(state, self._call(step, f"ff_{position}"))
            self._collect(frame, state, f"{state}.entries", step)
            frame = self._graph.survivors(frame, state, step.what)
        if program.outputs is not None:
            self._outputs(frame, "ff_outputs", f"ff_{len(program.steps)}", program.outputs)
        self._rows(frame)
        return self._booked

    def _fork(self, frame: Any, number: int) -> None:
        """Book the steps after the one that is left out, and the histograms of what is left."""
        fork = self._program.forks[number]
        state = f"ff_{fork.position}"
        for position in range(fork.position + 1, len(self._program.steps)):
            after = f"ff_{number}_without_{position + 1}"
            frame = frame.Define(after, self._call(self._program.steps[position], state))
            frame, state = self._graph.survivors(frame, after, ""), after
        self._outputs(frame, f"ff_outputs_{number}", state, fork.outputs)

    def _outputs(self, frame: Any, name: str, state: str, outputs: Function) -> None:
        frame = frame.Define(name, self._call(outputs, state))
        self._collect(frame, name, name, outputs)

    def _collect(self, frame: Any, name: str, entries: str, function: Function) -> None:
        """Book the sums of a function's ledger."""
        assert function.ledger is not None
        booked = self._graph.ledger(frame, name, entries, function.ledger.size)
        self._booked.ledgers.append((function.ledger, booked))

    def _rows(self, frame: Any) -> None:
        state = f"ff_{len(self._program.steps)}"
        if self._program.snapshots:
            name = "flavorframe::fingerprint(rdfsampleinfo_.AsString())"
            frame = frame.DefinePerSample("ff_file", name)
        for number, (name, function) in enumerate(self._program.snapshots):
            words = f"ff_rows_{number}"
            call = self._call(function, state, "ff_file", "rdfentry_")
            self._booked.rows[name] = self._graph.rows(frame.Define(words, call), words)

    def _call(self, function: Function, *before: str) -> str:
        arguments = ", ".join([*before, *function.branches])
        return f"{self._program.namespace}::{function.name}({arguments})"
