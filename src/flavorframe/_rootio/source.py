"""Where the bytes of a file come from: a descriptor of the system, or ranges that are fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Range = tuple[int, int]
"""Positions in a file, in bytes: the first, and one beyond the last."""
Bytes = bytes | memoryview


class Source(Protocol):
    """Where the bytes of a file come from."""

    descriptor: int | None
    """The number of an open file of this system, from which the compiled part reads by itself."""

    def ranges(self, wanted: Sequence[Range]) -> list[Bytes]:
        """Return the bytes of each range; fewer where the file ends."""
