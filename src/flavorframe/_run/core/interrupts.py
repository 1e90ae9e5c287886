"""Interrupts (Ctrl-C) during a run: they are noted, and raised only where it waits.

Python raises KeyboardInterrupt between any two lines, also between one that adds up what a
partition gave and the next, which notes that it came.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, ClassVar

PATIENCE = 1.0
"""Seconds after which another interrupt is raised wherever the run is: it comes to no wait."""


class Interrupts:
    """What came of interrupts while a run goes on; ``act`` is what else would have been done.

    ``current`` are those of the run in the main thread, the only one that is interrupted.
    """

    current: ClassVar[Interrupts | None] = None

    def __init__(self, act: Callable[[int, FrameType | None], Any]) -> None:
        self._act = act
        self._open = False
        self._noted: float | None = None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Note an interrupt, or have it raised where the run waits."""
        now = time.monotonic()
        over = Interrupts.current is not self
        if over or self._open or (self._noted is not None and now - self._noted > PATIENCE):
            self._raise(number, frame)
        elif self._noted is None:
            self._noted = now

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self._noted = None
        self._act(number, frame)

    @contextlib.contextmanager
    def open(self, state: bool) -> Iterator[None]:
        """Have interrupts raised in the block, or (``False``) noted again."""
        before, self._open = self._open, state
        try:
            if state and self._noted is not None:
                self._raise(signal.SIGINT, None)
            yield
        finally:
            self._open = before

    def taken(self) -> bool:
        """Return whether there was one that was only noted, and forget it."""
        noted, self._noted = self._noted, None
        return noted is not None


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """Have interrupts noted in the block, except where `waiting` says that they can be raised.

    Another interrupt is raised at once where the first has been noted for a second or more. One
    that was not taken by the end is raised there.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not _is_main() or not callable(handler):
        yield
    elif Interrupts.current is not None:
        with Interrupts.current.open(False):  # a run within a callback of another
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
        if _is_main():  # not where a run that was never left is cleared away
            signal.signal(signal.SIGINT, before)
            if interrupts.taken():
                interrupts._act(signal.SIGINT, None)


@contextlib.contextmanager
def waiting() -> Iterator[None]:
    """Have an interrupt raised at once in the block: nothing is gathered there."""
    with contextlib.nullcontext() if (current := _current()) is None else current.open(True):
        yield


@contextlib.contextmanager
def handler_kept() -> Iterator[None]:
    """Have interrupts handled after the block as before it."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if _is_main() and signal.getsignal(signal.SIGINT) is not handler:
            signal.signal(signal.SIGINT, handler)


def taken() -> bool:
    """Return whether an interrupt was noted that has not been raised, and forget it."""
    current = _current()
    return current is not None and current.taken()


def _current() -> Interrupts | None:
    return Interrupts.current if _is_main() else None


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
