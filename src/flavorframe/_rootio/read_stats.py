"""The cost of reading: seconds by stage, and compressed bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from flavorframe._rootio.source import Source

Stage = Literal["reading", "decompressing", "decoding"]
Fetch = Callable[[int, int], memoryview]
"""Returns the bytes of the file from one position up to another."""


@dataclass
class ReadStats:
    """Seconds by stage, and compressed bytes that were read."""

    reading: float = 0.0
    decompressing: float = 0.0
    decoding: float = 0.0
    bytes: int = 0

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        """Add the seconds that the block takes to a stage."""
        began = time.perf_counter()
        yield
        setattr(self, stage, getattr(self, stage) + time.perf_counter() - began)

    @contextmanager
    def timed_blocks(self, source: Source) -> Iterator[Fetch]:
        """Add what the block takes to decompressing, except for what it fetches from the source."""
        began, reading = time.perf_counter(), self.reading

        def fetch(begin: int, end: int) -> memoryview:
            with self.timed("reading"):
                (found,) = source.ranges([(begin, end)])
            self.bytes += len(found)
            return memoryview(found)

        yield fetch
        self.decompressing += time.perf_counter() - began - (self.reading - reading)
