"""A program as one graph of RDataFrame: everything is booked before the single loop over events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from flavorframe.engine.partial import Chunk
from flavorframe.engine.rdataframe.fillings import HEADER
from flavorframe.engine.rdataframe.ledger import Array, Ledger
from flavorframe.engine.rdataframe.program import Function, Program
from flavorframe.errors import RunError


class Collector(Protocol):
    """How words of snapshots come back from a graph."""

    def book(self, frame: Any, column: str) -> Any:
        """Book the collection of a column of words."""

    def words(self, booked: Any) -> tuple[Array, Array]:
        """Return the words of all events, and how many each event has."""


@dataclass
class Booked:
    """What a graph was asked for, in the order of the program."""

    ledgers: list[tuple[Ledger, Any]] = field(default_factory=list)
    rows: dict[str, Any] = field(default_factory=dict)


def book(frame: Any, program: Program, collector: Collector) -> Booked:
    """Book a program on a frame."""
    return _Booking(program, collector).book(frame)


class _Booking:
    def __init__(self, program: Program, collector: Collector) -> None:
        self._program, self._collector = program, collector
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
            frame = frame.Filter(f"{state}.alive", step.what)
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
            frame, state = frame.Filter(f"{after}.alive"), after
        self._outputs(frame, f"ff_outputs_{number}", state, fork.outputs)

    def _outputs(self, frame: Any, name: str, state: str, outputs: Function) -> None:
        frame = frame.Define(name, self._call(outputs, state))
        self._collect(frame, name, name, outputs)

    def _collect(self, frame: Any, name: str, entries: str, function: Function) -> None:
        """Add up the amounts of a ledger, in a histogram with a bin for each address."""
        assert function.ledger is not None
        size = function.ledger.size
        defined = frame.Define(f"{name}_at", f"{entries}.address")
        defined = defined.Define(f"{name}_by", f"{entries}.amount")
        filled = defined.Histo1D((name, name, size, 0, size), f"{name}_at", f"{name}_by")
        self._booked.ledgers.append((function.ledger, filled))

    def _rows(self, frame: Any) -> None:
        state = f"ff_{len(self._program.steps)}"
        if self._program.snapshots:
            name = "flavorframe::fingerprint(rdfsampleinfo_.AsString())"
            frame = frame.DefinePerSample("ff_file", name)
        for number, (name, function) in enumerate(self._program.snapshots):
            words = f"ff_rows_{number}"
            call = self._call(function, state, "ff_file", "rdfentry_")
            self._booked.rows[name] = self._collector.book(frame.Define(words, call), words)

    def _call(self, function: Function, *before: str) -> str:
        arguments = ", ".join([*before, *function.branches])
        return f"{self._program.namespace}::{function.name}({arguments})"


def amounts(histogram: Any, size: int) -> Array:
    """Return the contents of a ledger's bins; this runs the loop, the first time."""
    filled = histogram.GetValue()
    contents: Array = np.frombuffer(filled.GetArray(), np.float64, count=size + 2)[1:-1].copy()
    return contents


class Taken:
    """Words as a graph of this process gives them."""

    def book(self, frame: Any, column: str) -> Any:
        """Book the collection of a column of words."""
        return frame.Take["ROOT::RVec<long long>"](column)

    def words(self, booked: Any) -> tuple[Array, Array]:
        """Return the words of all events, and how many each event has."""
        from flavorframe.engine.rdataframe.root import root

        joined = root().flavorframe.Words(booked.GetValue())
        return _integers(joined.words), _integers(joined.counts)


class Gathered:
    """Words as a distributed graph gives them, an array for each event."""

    def book(self, frame: Any, column: str) -> Any:
        """Book the collection of a column of words."""
        return column, frame.AsNumpy([column], lazy=True)

    def words(self, booked: Any) -> tuple[Array, Array]:
        """Return the words of all events, and how many each event has."""
        column, gathered = booked
        events = [np.asarray(event, np.int64) for event in gathered.GetValue()[column]]
        counts = np.array([len(event) for event in events], np.int64)
        return np.concatenate(events or [np.zeros(0, np.int64)]), counts


def _integers(vector: Any) -> Array:
    if not vector.size():
        return np.zeros(0, np.int64)
    return np.frombuffer(vector.data(), np.int64, count=vector.size()).copy()


def ordered_rows(
    words: Array, counts: Array, types: dict[str, np.dtype[Any]], names: Sequence[str]
) -> tuple[Chunk, ...]:
    """Return the columns of a snapshot for each file, in the order of its events.

    ``names`` are the files as ROOT calls them, with their trees.
    """
    starts = np.cumsum(counts) - counts
    files = _file_numbers(words[starts], names)
    is_row = np.ones(len(words), bool)
    is_row[starts] = is_row[starts + 1] = False
    rows = words[is_row].reshape(-1, len(types))
    event = np.repeat(np.arange(len(counts)), (counts - HEADER) // len(types))
    order = np.lexsort((words[starts + 1][event], files[event]))
    columns = {name: _as_type(rows[order, i], kind) for i, (name, kind) in enumerate(types.items())}
    edges = np.searchsorted(files[event][order], np.arange(len(names) + 1))
    return tuple(
        {name: column[start:stop] for name, column in columns.items()}
        for start, stop in pairwise(edges.tolist())
    )


def _file_numbers(fingerprints: Array, names: Sequence[str]) -> Array:
    if len(names) == 1:
        return np.zeros(len(fingerprints), np.int64)
    order = {fingerprint(name): number for number, name in enumerate(names)}
    try:
        return np.array([order[int(f)] for f in fingerprints], np.int64)
    except KeyError:
        raise RunError(
            "ROOT calls a file otherwise than it was given: rows have no order."
        ) from None


def _as_type(words: Array, kind: np.dtype[Any]) -> Array:
    words = np.ascontiguousarray(words)
    values = words.view(np.float64) if kind.kind == "f" else words
    typed: Array = values.astype(kind)
    return typed


def fingerprint(name: str) -> int:
    """Return the number that the C++ has for a file's name (FNV-1a, 64 bits)."""
    value = 14695981039346656037
    for byte in name.encode():
        value = ((value ^ byte) * 1099511628211) % 2**64
    return value - 2**64 if value >= 2**63 else value
