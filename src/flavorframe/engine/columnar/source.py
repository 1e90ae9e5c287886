"""Where bytes come from: local files are mapped into memory, uproot gets the others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from queue import Queue
from typing import Any

import numpy as np


class LocalBytes:
    """A local file, mapped into memory: the system reads what is touched."""

    def __init__(self, path: str) -> None:
        self._bytes = np.memmap(path, np.uint8, "r")

    def ranges(self, wanted: Sequence[tuple[int, int]]) -> list[Any]:
        """Return the bytes from start up to stop, for each range; fewer where the file ends."""
        return [self._bytes[start:stop] for start, stop in wanted]


class RemoteBytes:
    """Any file that uproot reads; all ranges are asked for at once."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def ranges(self, wanted: Sequence[tuple[int, int]]) -> list[Any]:
        """Return the bytes from start up to stop, for each range."""
        chunks = self._source.chunks(list(wanted), notifications=Queue())
        return [np.asarray(chunk.raw_data) for chunk in chunks]


def source_of(path: str, file: Any) -> LocalBytes | RemoteBytes:
    """Return the source of an open uproot file."""
    return LocalBytes(path) if os.path.isfile(path) else RemoteBytes(file.file.source)
