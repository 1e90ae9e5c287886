"""Updates of a run: the result so far for its listeners, and whether the user stops it."""

from __future__ import annotations

import time
from collections.abc import Callable

from flavorframe._run.core import interrupts
from flavorframe._run.core.options import RunOptions
from flavorframe._run.delivery.credential_expiry import CredentialExpiry
from flavorframe._run.progress.base import Progress
from flavorframe.result.result import Result

UPDATE_SECONDS = 1.0
"""Least time between two updates of a run [s]."""
REST = 10
"""The next update comes this many times later than the last one took: a tenth of a run at most."""


class Updates:
    """Gives the result so far to listeners, and asks whether to stop."""

    def __init__(self, options: RunOptions, progress: Progress, expiry: CredentialExpiry) -> None:
        self._should_stop = options.should_stop
        self._listeners = list(filter(None, (options.on_update, progress.listener)))
        self._expiry = expiry
        self._start = time.perf_counter()
        self.next = self._start + UPDATE_SECONDS
        """When the next update is due, by `time.perf_counter`."""

    def give(self, so_far: Callable[[], Result] | None, fraction: float) -> bool:
        """Give the result so far, if there is one; return whether the run is to stop.

        ``fraction`` of the events have been read. A deferred interrupt is raised here.
        """
        now = time.perf_counter()
        with interrupts.allowed():
            if self._listeners and so_far is not None:
                result = so_far()
                for listener in self._listeners:
                    listener(result)
            self._expiry.check(now - self._start, fraction)
            stops = self._should_stop is not None and self._should_stop()
        self.next = now + max(UPDATE_SECONDS, REST * (time.perf_counter() - now))
        return stops
