"""The interface of progress bars, and the events and rates that they show."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from flavorframe.result import Result, Timing

MOST_WORKERS = 8
"""Most workers that are shown."""


class Progress(Protocol):
    """Shows how far a run is; executors call its methods.

    A ``listener`` is called with the result so far.
    """

    @property
    def listener(self) -> Callable[[Result], object] | None:
        """The function to call about once a second with the result so far, if any."""

    def __enter__(self) -> Progress: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def expect(self, events: int) -> None:
        """Note that this many more events will be processed."""

    def advance(self, timing: Timing) -> None:
        """Note that a partition is done."""

    def say(self, text: str) -> None:
        """Show a line beside the bar, in place of the one before."""


class Silent:
    """Shows nothing."""

    listener = None

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def expect(self, events: int) -> None:
        """Note that this many more events will be processed."""

    def advance(self, timing: Timing) -> None:
        """Note that a partition is done."""

    def say(self, text: str) -> None:
        """Show a line beside the bar, in place of the one before."""


class Counts:
    """The numbers that bars show: events, events/s and MB/s, of all and of each worker."""

    listener = None

    def __init__(self, title: str) -> None:
        self.title = title
        self.expected = 0
        self.total = Timing()
        self._line = ""
        self._start = time.perf_counter()

    def expect(self, events: int) -> None:
        """Note that this many more events will be processed."""
        self.expected += events

    def advance(self, timing: Timing) -> None:
        """Note that a partition is done."""
        self.total = self.total + timing

    def say(self, text: str) -> None:
        """Show a line beside the bar, in place of the one before."""
        self._line = text

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.perf_counter() - self._start or 1e-9

    def rate(self, timing: Timing) -> str:
        """Return events/s and MB/s."""
        rate = f"{timing.events / self.seconds:,.0f} events/s, "
        return rate + f"{timing.bytes_read / 1e6 / self.seconds:,.0f} MB/s"

    def lines(self) -> list[str]:
        """Return the lines below the bar: the line of text, and the first of the workers."""
        workers = sorted(self.total.workers.items())
        lines = [f"  {name}: {self.rate(timing)}" for name, timing in workers[:MOST_WORKERS]]
        if len(workers) > MOST_WORKERS:
            lines.append(f"  … and {len(workers) - MOST_WORKERS} more workers")
        return [*([self._line] if self._line else []), *lines]
