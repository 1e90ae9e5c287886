"""Show how far a run is: events, rates and the time left."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Literal, Protocol

from flavorframe.result import Timing


class Progress(Protocol):
    """What an executor tells while it works."""

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

    def describe(self, text: str) -> None:
        """Note how things stand, such as the jobs of a batch system."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def expect(self, events: int) -> None:
        """Note that this many more events will be processed."""

    def advance(self, timing: Timing) -> None:
        """Note that a partition is done."""

    def describe(self, text: str) -> None:
        """Note how things stand, such as the jobs of a batch system."""


class Bar:
    """A bar in the terminal or notebook: events/s, MB/s and the time left."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bytes = 0
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Bar:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} events"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(self._title, total=0, rate="")
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def expect(self, events: int) -> None:
        """Note that this many more events will be processed."""
        task = self._bar.tasks[self._task]
        self._bar.update(self._task, total=(task.total or 0) + events)

    def describe(self, text: str) -> None:
        """Note how things stand, such as the jobs of a batch system."""
        self._bar.update(self._task, description=f"{self._title}: {text}")

    def advance(self, timing: Timing) -> None:
        """Note that a partition is done."""
        self._bytes += timing.bytes_read
        task = self._bar.tasks[self._task]
        seconds = task.elapsed or 1e-9
        rate = f"{(task.completed + timing.events) / seconds:,.0f} events/s, "
        rate += f"{self._bytes / 1e6 / seconds:,.0f} MB/s"
        self._bar.update(self._task, advance=timing.events, rate=rate)


def choose_progress(show: bool | Literal["live"] | None, title: str) -> Progress:
    """Return a bar where one is wanted: by default, where a person is looking on."""
    if show is None:
        show = sys.stderr.isatty() or "ipykernel" in sys.modules
    return Bar(title) if show else Silent()
