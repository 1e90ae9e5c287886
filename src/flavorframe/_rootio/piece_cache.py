"""Decompressed pieces of files that several partitions need: made once, and kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

MAX_BYTES = 512 * 2**20
"""How much is kept of all files. Threads take partitions in order, so only pieces in use count."""

Piece = TypeVar("Piece")


class PieceCache(Generic[Piece]):
    """Values by key; the least recently used are dropped where they exceed ``max_bytes``.

    Of threads that want the same one at the same time, one makes it, and the others wait.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._values: OrderedDict[Hashable, Future[tuple[Piece, int]]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], tuple[Piece, int]]) -> Piece:
        """Return the value of a key; where it is not known, ``make`` gives it, with its bytes.

        What ``make`` raises is raised in all threads that wait, and not kept.
        """
        with self._lock:
            known = self._values.get(key)
            if known is not None:
                self._values.move_to_end(key)
            else:
                made = self._values[key] = Future()
        if known is not None:
            return known.result()[0]
        try:
            value, size = make()
        except BaseException as error:
            with self._lock:
                del self._values[key]
            made.set_exception(error)
            raise
        made.set_result((value, size))
        with self._lock:
            self._bytes += size
            self._drop_oldest()
        return value

    def _drop_oldest(self) -> None:
        while self._bytes > self._max_bytes:
            oldest = next(key for key, value in self._values.items() if value.done())
            self._bytes -= self._values.pop(oldest).result()[1]


pieces: PieceCache[Any] = PieceCache()
"""The pieces of this process; what a key stands for decides the type of its value."""


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


SizedArray = TypeVar("SizedArray", bound=_Sized)


def with_size(array: SizedArray) -> tuple[SizedArray, int]:
    """Return an array with the number of its bytes, as a `PieceCache` takes it."""
    return array, array.nbytes
