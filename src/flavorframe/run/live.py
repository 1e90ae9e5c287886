"""A run as it goes, in a notebook: how far it is, and the histograms so far."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from flavorframe.errors import AnalysisError
from flavorframe.result import Timing

if TYPE_CHECKING:
    from flavorframe.result.result import Result

EMPTY = "waiting for the first events"


class Live:
    """Shows headline, bar, rates and one- or two-dimensional histograms, in place."""

    def __init__(self, title: str) -> None:
        """Raises AnalysisError outside a notebook."""
        try:
            from IPython import get_ipython
        except ImportError:
            get_ipython = lambda: None  # noqa: E731
        if get_ipython() is None:
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
    parts = [
        f"<p><b>{escape(result.dataset.name)}</b>: {result.events:,} events, "
        f"{result.cutflow[-1].candidates:,} candidates, {percent:.0f} % of the data</p>",
        f'<progress value="{percent:.1f}" max="100" style="width: 30em"></progress>',
        f"<p>{escape(line)}</p>" if line else "",
        '<div style="display: flex; flex-wrap: wrap; gap: 1em">',
        *_pictures(result),
        "</div>",
    ]
    return "\n".join(filter(None, parts))


def _pictures(result: Result) -> Iterator[str]:
    for name, output in result.outputs.items():
        if hasattr(output, "axes") and len(output.axes) <= 2:
            yield f"<figure><figcaption>{escape(name)}</figcaption>{output._repr_html_()}</figure>"
