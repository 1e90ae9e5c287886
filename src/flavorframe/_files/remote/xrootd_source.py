"""A file on an XRootD server as uproot reads it: through one handle, for as long as it is open.

A handle is never shared by name or kept for later: of a file that was replaced it would give the
old one, and after a server was down nothing any more.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from queue import Queue
from threading import Lock
from typing import Any

from uproot.source.chunk import Chunk, Source
from uproot.source.coalesce import coalesce_requests
from uproot.source.futures import TrivialFuture
from uproot.source.xrootd import get_server_config
from XRootD import client

from flavorframe._files.remote import xrootd_client, xrootd_credentials

Part = tuple[int, int]
OUTDATED = (
    "it gives an earlier file of this name as long as somebody has that open. Try again later"
)


class XRootDSource(Source):  # type: ignore[misc]
    """Reads ranges of bytes, many with one request; each is answered within ``timeout`` seconds."""

    def __init__(self, file_path: str, *, timeout: int, **options: Any) -> None:
        """Open the file; raises OSError with what the client says."""
        super().__init__()
        self._file_path, self._timeout = file_path, timeout
        self._as_user = partial(xrootd_credentials.shown_to, file_path)
        self._file = client.File()
        _require(self._file.open(file_path, timeout=timeout)[0])
        self._close_once = weakref.finalize(self, _close, self._file, timeout)
        try:
            self._require_current()
            self._most_parts, self._largest = get_server_config(self._file)
        except BaseException:
            self._close_once()
            raise

    def _require_current(self) -> None:
        """Raise OSError where the server gives an earlier file, because somebody has it open."""
        named = xrootd_client.stat(self._file_path, self._timeout)
        status, given = self._file.stat(timeout=self._timeout)
        _require(status)
        other_date = named.changed and given.modtime and named.changed != given.modtime
        is_same_server = named.server == xrootd_client.server_name(
            self._file.get_property("DataServer")
        )
        if is_same_server and (named.size != given.size or other_date):
            raise OSError(OUTDATED)

    def chunk(self, start: int, stop: int) -> Chunk:
        """Return the bytes from start up to stop, fewer where the file ends."""
        with self._as_user():  # it may have to connect again
            status, content = self._file.read(start, stop - start, timeout=self._timeout)
        _require(status)
        return Chunk(self, start, stop, TrivialFuture(content))

    def chunks(self, ranges: list[Part], notifications: Queue[Chunk]) -> list[Chunk]:
        """Ask for ranges of bytes; each chunk goes into the queue once it has come."""
        found: list[Chunk] = coalesce_requests(ranges, self._ask, self, notifications)
        return found

    def _ask(self, ranges: Sequence[Part]) -> Future[list[bytes]]:
        """Ask for ranges, cut into parts that the server takes, so many in a request."""
        parts = [_parts(start, stop, self._largest) for start, stop in ranges]
        every = [part for several in parts for part in several]
        numbers = range(0, len(every), self._most_parts)
        answers = _Answers(parts, len(numbers))
        told = contextlib.ExitStack()
        told.enter_context(xrootd_credentials.told_of(self._file_path))
        answers.whole.add_done_callback(lambda _: told.close())
        for first in numbers:
            request = every[first : first + self._most_parts]
            asked = self._file.vector_read(request, self._timeout, answers.take)
            if not asked.ok:
                answers.take(asked, None, None)
        return answers.whole

    @property
    def num_bytes(self) -> int:
        """The size of the file."""
        with self._as_user():
            status, info = self._file.stat(timeout=self._timeout)
        _require(status)
        return int(info.size)

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return not self._close_once.alive

    def __enter__(self) -> XRootDSource:
        return self

    def __exit__(self, *error: object) -> None:
        self._close_once()


class _Answers:
    """Puts together what comes in answer to several requests, from any thread."""

    def __init__(self, parts: Sequence[Sequence[Part]], requests: int) -> None:
        self.whole: Future[list[bytes]] = Future()
        self._parts, self._missing = parts, requests
        self._content: dict[Part, bytes] = {}
        self._lock = Lock()

    def take(self, status: Any, answer: Any, _: Any) -> None:
        """Take an answer; the first that is an error is that of all."""
        with self._lock:
            if self.whole.done():
                return
            if not status.ok:
                self.whole.set_exception(OSError(status.message))
                return
            self._content.update({(c.offset, c.length): c.buffer for c in answer.chunks})
            self._missing -= 1
            if not self._missing:
                content = self._content
                self.whole.set_result([b"".join(content[p] for p in each) for each in self._parts])


def _parts(start: int, stop: int, largest: int) -> list[Part]:
    return [(at, min(largest, stop - at)) for at in range(start, stop, largest)]


def _require(status: Any) -> None:
    if not status.ok:
        raise OSError(status.message)


def _close(file: Any, timeout: int) -> None:
    """Close a file, and do not wait for a server that may not answer any more."""
    file.close(timeout, callback=lambda *_, kept=file: None)
