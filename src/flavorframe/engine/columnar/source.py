"""Where bytes come from: the compiled part reads local files itself, uproot gets the others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from queue import Queue
from typing import Any

import numpy as np


class LocalBytes:
    """A local file. It is read, not mapped into memory: a file that shrinks is then an error."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self.descriptor: int | None = self._file

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    def ranges(self, wanted: Sequence[tuple[int, int]]) -> list[Any]:
        """Return the bytes from start up to stop, for each range; fewer where the file ends."""
        return [os.pread(self._file, stop - start, start) for start, stop in wanted]


class RemoteBytes:
    """Any file that uproot reads; all ranges are asked for at once."""

    descriptor: int | None = None

    def __init__(self, source: Any) -> None:
        self._source = source

    def ranges(self, wanted: Sequence[tuple[int, int]]) -> list[Any]:
        """Return the bytes from start up to stop, for each range."""
        chunks = self._source.chunks(list(wanted), notifications=Queue())
        return [np.asarray(chunk.raw_data) for chunk in chunks]


def source_of(path: str, file: Any) -> LocalBytes | RemoteBytes:
    """Return the source of an open uproot file."""
    return LocalBytes(path) if os.path.isfile(path) else RemoteBytes(file.file.source)
