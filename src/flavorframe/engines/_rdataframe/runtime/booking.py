"""A program as one graph of RDataFrame: everything is booked before the single loop over events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flavorframe.engines._rdataframe.codegen.program import Function, Program
from flavorframe.engines._rdataframe.codegen.totals import Array, Totals
from flavorframe.engines._rdataframe.runtime.graphs import Graph


@dataclass
class Booked:
    """What a graph was asked for, in the order of the program."""

    totals: list[tuple[Totals, Any]] = field(default_factory=list)
    rows: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LoopResult:
    """What a loop gave.

    Attributes:
        totals: The totals of each function.
        rows: Of each snapshot the words of all events, and how many each event has.
    """

    totals: list[tuple[Totals, Array]]
    rows: dict[str, tuple[Array, Array]]


def run_loop(booked: Booked, graph: Graph) -> LoopResult:
    """Run the loop, and return what was booked on its graph."""
    totals = [(places, graph.totals(at, places.size)) for places, at in booked.totals]
    return LoopResult(totals, {name: graph.words(rows) for name, rows in booked.rows.items()})


def book(frame: Any, program: Program, graph: Graph) -> Booked:
    """Book a program on a frame."""
    for name, column in program.aliases:
        frame = frame.Alias(name, column)
    known = set(map(str, frame.GetColumnNames()))
    for name, expression in program.defined:
        frame = (frame.Redefine if name in known else frame.Define)(name, expression)
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
            frame, state = self._step(frame, state, f"{position}", step)
            if program.categories is not None:
                self._step(frame, state, f"categories_{position}", program.categories)
        if program.outputs is not None:
            self._step(frame, state, "outputs", program.outputs)
        self._rows(frame, state)
        return self._booked

    def _fork(self, frame: Any, state: Any, number: int) -> None:
        """Book the steps after the one that is left out, and the histograms of what is left."""
        fork, names = self._program.forks[number], f"without_{number}"
        for position in range(fork.position + 1, len(self._program.steps)):
            step = self._program.steps[position]
            frame, state, _ = self._graph.step(frame, state, f"{names}_{position}", step)
        self._step(frame, state, f"{names}_outputs", fork.outputs)

    def _step(self, frame: Any, state: Any, name: str, step: Function) -> tuple[Any, Any]:
        """Book a function and its totals."""
        frame, after, totals = self._graph.step(frame, state, name, step)
        self._booked.totals.append((step.totals, totals))
        return frame, after

    def _rows(self, frame: Any, state: Any) -> None:
        program = self._program
        file, first = program.helper("file"), program.helper("first")
        if program.snapshots:
            fingerprint = f"{program.helper('file_fingerprint')}(rdfsampleinfo_)"
            frame = frame.DefinePerSample(file, fingerprint)
            begun = f"{program.helper('first_entry')}(rdfsampleinfo_)"
            frame = frame.DefinePerSample(first, begun)
        for number, (name, function) in enumerate(program.snapshots):
            arguments = [self._graph.state(state), file, first, "rdfentry_", *function.columns]
            words = program.helper(f"rows_{number}")
            rows = frame.Define(words, f"{program.called(function)}({', '.join(arguments)})")
            self._booked.rows[name] = self._graph.rows(rows, words)
