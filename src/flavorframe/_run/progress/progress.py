"""Show how far a run is: events, rates and the time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from flavorframe._shell import ipython
from flavorframe.result import Timing

if TYPE_CHECKING:
    from flavorframe.result import Result

MOST_WORKERS = 8
"""How many workers are shown."""


class Progress(Protocol):
    """What an executor tells while it works; a ``listener`` wants the results so far too."""

    @property
    def listener(self) -> Callable[[Result], object] | None:
        """What is to be called, once in a while, with the result so far."""

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


class Count:
    """What a bar tells: events, events/s and MB/s of all and of each worker, and a line."""

    listener = None

    def __init__(self, title: str) -> None:
        self.title = title
        self.expected = 0
        self.total = Timing()
        self._line = ""
        self._began = time.perf_counter()

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
        return time.perf_counter() - self._began or 1e-9

    def rate(self, timing: Timing) -> str:
        """Return events/s and MB/s."""
        rate = f"{timing.events / self.seconds:,.0f} events/s, "
        return rate + f"{timing.bytes_read / 1e6 / self.seconds:,.0f} MB/s"

    def lines(self) -> list[str]:
        """Return what stands below the bar: the line, and the first of the workers."""
        workers = sorted(self.total.workers.items())
        lines = [f"  {name}: {self.rate(timing)}" for name, timing in workers[:MOST_WORKERS]]
        if len(workers) > MOST_WORKERS:
            lines.append(f"  … and {len(workers) - MOST_WORKERS} more workers")
        return [*([self._line] if self._line else []), *lines]


class Bar(Count):
    """A bar in the terminal: events/s, MB/s and the time left; workers below it."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._bar: Any = None
        self._task: Any = None
        self._shown: Any = None

    def __enter__(self) -> Bar:
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} events"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._task = self._bar.add_task(self.title, total=0, rate="")
        self._shown = Live(console=Console(stderr=True), get_renderable=self._picture)
        self._shown.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._shown.stop()

    def expect(self, events: int) -> None:
        """Note that this many more events will be processed."""
        super().expect(events)
        self._bar.update(self._task, total=self.expected)

    def advance(self, timing: Timing) -> None:
        """Note that a partition is done."""
        super().advance(timing)
        self._bar.update(self._task, advance=timing.events, rate=self.rate(self.total))

    def _picture(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        return Group(self._bar, *map(Text, self.lines()))


def choose_progress(show: bool | Literal["live"] | None, title: str) -> Progress:
    """Return a bar where one is wanted: by default, where a person is looking on."""
    if show == "live":
        from flavorframe._run.progress.live import Live

        return Live(title)
    in_notebook = hasattr(ipython(), "kernel")
    if show is False or (show is None and not in_notebook and not sys.stderr.isatty()):
        return Silent()
    if in_notebook:
        from flavorframe._run.progress.live import NotebookBar

        return NotebookBar(title)
    return Bar(title)
