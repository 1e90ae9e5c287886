"""Where bytes come from: local files are mapped into memory, uproot gets the others."""

from __future__ import annotations

from collections.abc import Sequence
from queue import Queue
from typing import Any

import numpy as np

from flavorframe.remote.access import explained, is_remote


class LocalBytes:
    """A local file, mapped into memory: the system reads what is touched."""

    def __init__(self, path: str) -> None:
        self._bytes = np.memmap(path, np.uint8, "r")

    def ranges(self, wanted: Sequence[tuple[int, int]]) -> list[Any]:
        """Return the bytes from start up to stop, for each range; fewer where the file ends."""
        return [self._bytes[start:stop] for start, stop in wanted]


class RemoteBytes:
    """A file on a server; all ranges are asked for at once."""

    def __init__(self, url: str, source: Any) -> None:
        self._url = url
        self._source = source

    def ranges(self, wanted: Sequence[tuple[int, int]]) -> list[Any]:
        """Return the bytes from start up to stop, for each range.

        Raises AccessError or FileError where the server does not give them.
        """
        try:
            chunks = self._source.chunks(list(wanted), notifications=Queue())
            return [np.asarray(chunk.raw_data) for chunk in chunks]
        except Exception as error:  # each library raises its own
            raise explained(self._url, error) from error


def source_of(path: str, file: Any) -> LocalBytes | RemoteBytes:
    """Return the source of an open uproot file."""
    return RemoteBytes(path, file.file.source) if is_remote(path) else LocalBytes(path)
