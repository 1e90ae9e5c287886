"""What engines read: an open tree with one entry an event, whatever lies behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from flavorframe._files.versions import Version
from flavorframe._rootio.arrays import Array, Column, Nested
from flavorframe._rootio.read_stats import ReadStats
from flavorframe._rootio.schema import Schema


class EventFile(Protocol):
    """An open tree as engines read it: `RootFile`, and what is like one."""

    path: str
    tree: str
    version: Version | None
    schema: Schema
    events: int
    shorter: Mapping[str, int]

    def read(self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats) -> Column:
        """Return one column at the events start + ``rows``."""

    def read_nested(
        self, branch: str, start: int, stop: int, rows: Array, stats: ReadStats
    ) -> Nested:
        """Return one column of lists of lists, of the shape "nested"; as `read`."""

    def common_edges(self, branches: tuple[str, ...]) -> tuple[int, ...]:
        """Return the events at which all branches begin a basket."""

    def ahead(self, branches: Sequence[str], start: int, stop: int) -> AbstractContextManager[None]:
        """Ask a server at once for what the block will read of some branches."""
