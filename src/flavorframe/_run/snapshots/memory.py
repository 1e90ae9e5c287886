"""Rows of a snapshot that stays in memory."""

from __future__ import annotations

from flavorframe._snapshots.promotion import joined
from flavorframe.engines.partial import Chunk
from flavorframe.result import Table

MOST_CHUNKS = 64
"""Chunks that are kept apart before they become one."""


class MemoryRows:
    """Collects chunks of rows in memory."""

    def __init__(self) -> None:
        self._chunks: list[Chunk] = []
        self._recent: list[Chunk] = []

    def write(self, chunk: Chunk) -> None:
        """Add the rows of a chunk; few chunks are kept, however many come."""
        self._recent.append(chunk)
        if len(self._recent) >= MOST_CHUNKS:
            self._chunks, self._recent = [*self._chunks, joined(self._recent)], []
        if len(self._chunks) >= MOST_CHUNKS:
            self._chunks = [joined(self._chunks)]

    @property
    def has_columns(self) -> bool:
        """Whether a chunk has come, and with it the names of the columns."""
        return bool(self._chunks or self._recent)

    @property
    def table(self) -> Table:
        """All rows so far."""
        return Table(joined([*self._chunks, *self._recent]))

    def discard(self) -> None:
        """Forget the rows."""
        self._chunks, self._recent = [], []
