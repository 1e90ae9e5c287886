"""Interrupts (Ctrl-C) during a run: they are deferred, and raised only where the run waits.

Python raises KeyboardInterrupt between any two lines, also between one that adds up what a
partition gave and the next, which notes that the partition is done. So a run defers interrupts
(`deferred`), and allows them where it waits and nothing is half done (`allowed`).

What happens to a run that is interrupted is decided elsewhere:

* `accumulator.Accumulator` keeps what was read (``interruptible``), and at its end takes an
  interrupt that was still deferred.
* `threads.Pool` drops the work that waits, and gives the work under way some seconds to end.
* ``batch.executor`` and ``batch.collect`` let the jobs go on, and print how to gather them.
* ``run_datasets`` defers interrupts also between a run and the saving of its result.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, ClassVar

FORCE_SECONDS = 1.0
"""Seconds after which a second interrupt is raised at once, where the first is still deferred."""


class Interrupts:
    """The interrupts of a run; ``handler`` is what would handle them without the run.

    ``current`` are those of the run in the main thread: Python interrupts no other thread.
    """

    current: ClassVar[Interrupts | None] = None

    def __init__(self, handler: Callable[[int, FrameType | None], Any]) -> None:
        self._handler = handler
        self._are_allowed = False
        self._deferred_at: float | None = None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Defer an interrupt, or raise it where interrupts are allowed."""
        now = time.monotonic()
        over = Interrupts.current is not self
        since = self._deferred_at
        if over or self._are_allowed or (since is not None and now - since > FORCE_SECONDS):
            self.raise_now(number, frame)
        elif since is None:
            self._deferred_at = now

    def raise_now(self, number: int = signal.SIGINT, frame: FrameType | None = None) -> None:
        """Have an interrupt handled as it would be without the run, most often raised."""
        self._deferred_at = None
        self._handler(number, frame)

    @contextlib.contextmanager
    def set_allowed(self, allowed: bool) -> Iterator[None]:
        """Allow interrupts in the block, or (``False``) defer them."""
        before, self._are_allowed = self._are_allowed, allowed
        try:
            if allowed and self._deferred_at is not None:
                self.raise_now()
            yield
        finally:
            self._are_allowed = before

    def take(self) -> bool:
        """Return whether an interrupt was deferred, and forget it."""
        since, self._deferred_at = self._deferred_at, None
        return since is not None


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Defer interrupts in the block, except within `allowed`.

    A second interrupt is raised at once where the first was deferred more than `FORCE_SECONDS` ago.
    One that is still deferred at the end of the block is raised there.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not _is_main() or not callable(handler):
        yield
    elif Interrupts.current is not None:
        with Interrupts.current.set_allowed(False):  # a run within a callback of another
            yield
    else:
        with _installed(Interrupts(handler)):
            yield


@contextlib.contextmanager
def _installed(interrupts: Interrupts) -> Iterator[None]:
    Interrupts.current = interrupts
    before = signal.signal(signal.SIGINT, interrupts.handle)
    try:
        yield
    finally:
        Interrupts.current = None
        # A generator that was never finished may be closed by another thread.
        if _is_main():
            signal.signal(signal.SIGINT, before)
            if interrupts.take():
                interrupts.raise_now()


@contextlib.contextmanager
def allowed() -> Iterator[None]:
    """Raise interrupts at once in the block, also one that was deferred before it."""
    current = _current()
    with contextlib.nullcontext() if current is None else current.set_allowed(True):
        yield


@contextlib.contextmanager
def handler_restored() -> Iterator[None]:
    """Restore the handler of interrupts after the block, which may replace it."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if _is_main() and signal.getsignal(signal.SIGINT) is not handler:
            signal.signal(signal.SIGINT, handler)


def take() -> bool:
    """Return whether an interrupt of the run was deferred, and forget it."""
    current = _current()
    return current is not None and current.take()


def _current() -> Interrupts | None:
    return Interrupts.current if _is_main() else None


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
