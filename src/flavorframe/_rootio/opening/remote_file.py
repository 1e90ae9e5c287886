"""Files on servers: uproot asks for their bytes, of all ranges at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Queue
from typing import Any

import numpy as np

from flavorframe._files.remote.access import explained
from flavorframe._rootio.source import Bytes, Range


class RemoteFile:
    """A file on a server, as a `Source`."""

    descriptor: int | None = None

    def __init__(self, url: str, source: Any) -> None:
        self._url = url
        self._source = source
        self._coming: dict[Range, Any] = {}

    @contextmanager
    def ahead(self, wanted: Sequence[Range]) -> Iterator[None]:
        """Ask for ranges that will be wanted in the block, and do not wait for them."""
        self._coming.update(self._ask(wanted))
        try:
            yield
        finally:
            for each in wanted:
                self._coming.pop(each, None)

    def ranges(self, wanted: Sequence[Range]) -> list[Bytes]:
        """Return the bytes of each range.

        Raises AccessError or FileError where the server does not give them.
        """
        found = {each: self._coming.get(each) for each in wanted}
        coming = {each: chunk for each, chunk in found.items() if chunk is not None}
        coming |= self._ask([each for each in wanted if each not in coming])
        with self._explaining():
            return [np.asarray(coming[each].raw_data).data for each in wanted]

    def _ask(self, wanted: Sequence[Range]) -> dict[Range, Any]:
        with self._explaining():
            chunks = self._source.chunks(list(wanted), notifications=Queue())
        return dict(zip(wanted, chunks, strict=True))

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each library raises its own
            raise explained(self._url, error) from error
