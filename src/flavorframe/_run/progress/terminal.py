"""A bar in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flavorframe._run.progress.base import Counts
from flavorframe.result import Timing

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live
    from rich.progress import Progress, TaskID


class Bar(Counts):
    """A bar in the terminal: events/s, MB/s and the time left; workers below it."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._bar: Progress
        self._task: TaskID
        self._shown: Live

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

    def _picture(self) -> Group:
        from rich.console import Group
        from rich.text import Text

        return Group(self._bar, *map(Text, self.lines()))
