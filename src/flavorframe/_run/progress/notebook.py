"""Progress in a notebook: a bar, or the histograms so far."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import escape
from typing import Any

from flavorframe._expr.variations import NOMINAL
from flavorframe._run.progress.base import Counts
from flavorframe._shell import ipython
from flavorframe.errors import AnalysisError
from flavorframe.result import Result, Timing
from flavorframe.result._histograms import by_category, varied

EMPTY = "waiting for the first events"
BAR_SECONDS = 0.2
"""Least time between two drawings of the bar [s]."""


class NotebookBar(Counts):
    """A bar in a notebook: events/s, MB/s and the time left; workers below it."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._next = 0.0
        self._handle: Any = None

    def __enter__(self) -> NotebookBar:
        from IPython.display import HTML, display

        self._handle = display(HTML(self._page()), display_id=True)
        return self

    def __exit__(self, *error: object) -> None:
        self._draw()

    def advance(self, timing: Timing) -> None:
        """Note that a partition is done."""
        super().advance(timing)
        if time.monotonic() >= self._next:
            self._draw()

    def _draw(self) -> None:
        from IPython.display import HTML

        self._next = time.monotonic() + BAR_SECONDS
        self._handle.update(HTML(self._page()))

    def _page(self) -> str:
        events, seconds = self.total.events, self.seconds
        left = (self.expected - events) * seconds / events if events else 0.0
        facts = [f"{events:,} events", self.rate(self.total)]
        facts += [f"{left:.0f} s left"] if left > 1 else []
        below = "".join(f"<br>{escape(line)}" for line in self.lines())
        return (
            f"<p>{escape(self.title)} {_bar(events, self.expected)} {', '.join(facts)}{below}</p>"
        )


class Live:
    """Shows headline, bar, rates and one- or two-dimensional histograms, in place."""

    def __init__(self, title: str) -> None:
        """Raises AnalysisError outside a notebook."""
        if ipython() is None:
            raise AnalysisError(
                "progress='live' needs a notebook: use progress=True, or on_update=, elsewhere."
            )
        self._title = title
        self._line = ""
        self._total = Timing()
        self._handle: Any = None

    def __enter__(self) -> Live:
        from IPython.display import HTML, display

        self._handle = display(HTML(f"<p>{escape(self._title)}: {EMPTY}</p>"), display_id=True)
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def expect(self, events: int) -> None:
        """Note that this many more events will be processed."""

    def advance(self, timing: Timing) -> None:
        """Note that a partition is done."""

    def say(self, text: str) -> None:
        """Show a line below the bar, in place of the one before."""
        self._line = text

    def listener(self, result: Result) -> None:
        """Show a result in place of the one before."""
        from IPython.display import HTML

        self._handle.update(HTML(as_html(result, self._line)))


def as_html(result: Result, line: str = "") -> str:
    """Return a result so far as HTML: headline, bar, and histograms side by side."""
    percent = 100 * result.fraction
    selected = ", ".join(
        f"{flow[-1].candidates:,} candidates{f' in {escape(region)}' if region else ''}"
        for region, flow in result.cutflows.items()
    )
    parts = [
        f"<p><b>{escape(result.dataset.name)}</b>: {result.events:,} events, {selected}, "
        f"{percent:.0f} % of the data</p>",
        _bar(percent, 100),
        f"<p>{escape(line)}</p>" if line else "",
        '<div style="display: flex; flex-wrap: wrap; gap: 2em">',
        *_pictures(result),
        "</div>",
    ]
    return "\n".join(filter(None, parts))


def _bar(value: float, most: float) -> str:
    return f'<progress value="{value:.1f}" max="{most or 1:.1f}" style="width: 20em"></progress>'


def _pictures(result: Result) -> Iterator[str]:
    for name, output in result.outputs.items():
        for category, each in by_category(varied(output, NOMINAL)):
            if hasattr(each, "axes") and len(each.axes) <= 2:
                yield _picture(" ".join(filter(None, (name, category))), each)


def _picture(name: str, histogram: Any) -> str:
    from hist.svgplots import svg_hist_1d, svg_hist_2d

    picture = (svg_hist_1d if len(histogram.axes) == 1 else svg_hist_2d)(histogram)
    entries = f"{escape(name)}: {histogram.values().sum():,.10g} in range"
    return (
        f'<figure style="margin: 0; width: 22em"><figcaption>{entries}</figcaption>'
        f'<div style="padding: 0.5em 1em 1em">{_uncut(picture)}</div></figure>'
    )


def _uncut(picture: Any) -> str:
    """Return a drawing with room for labels that are larger than it expects."""
    return str(picture).replace("<svg ", '<svg style="overflow: visible" ', 1)
