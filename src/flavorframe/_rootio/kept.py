"""What many partitions need is made once and kept for a while: decompressed pieces of files."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any

MOST_BYTES = 512 * 2**20
"""How much of all files is kept: threads take partitions in order, so it is what they are at."""


class Kept:
    """Values by key, the least recently used given up first where they exceed ``most`` bytes.

    Of threads that want one at the same time, one makes it, and the others wait.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, Future[tuple[Any, int]]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], tuple[Any, int]]) -> Any:
        """Return the value of a key; ``make`` gives it, with its size, where it is not known.

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
            self._give_up()
        return value

    def _give_up(self) -> None:
        while self._bytes > self._most:
            oldest = next(key for key, value in self._values.items() if value.done())
            self._bytes -= self._values.pop(oldest).result()[1]


kept = Kept()
"""What is kept in this process."""


def sized(array: Any) -> tuple[Any, int]:
    """Return an array with its size, as it is kept."""
    return array, array.nbytes
