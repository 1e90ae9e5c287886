"""Which bar a run shows, if any."""

from __future__ import annotations

import sys
from typing import Literal

from flavorframe._run.progress.base import Progress, Silent
from flavorframe._run.progress.notebook import Live, NotebookBar
from flavorframe._run.progress.terminal import Bar
from flavorframe._shell import ipython


def choose_progress(show: bool | Literal["live"] | None, title: str) -> Progress:
    """Return the progress bar for the option ``progress``; by default one if a person looks on."""
    if show == "live":
        return Live(title)
    in_notebook = hasattr(ipython(), "kernel")
    if show is False or (show is None and not in_notebook and not sys.stderr.isatty()):
        return Silent()
    if in_notebook:
        return NotebookBar(title)
    return Bar(title)
