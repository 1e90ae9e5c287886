"""Arrays that were computed before, by a key made of all that they depend on."""

from __future__ import annotations

import errno
import json
import math
import os
import sys
import time
import warnings
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Condition, Event, Lock
from typing import Any

import numpy as np

from flavorframe._cache.own_files import own_home
from flavorframe._cache.store import Store, default_folder
from flavorframe._shell import ipython
from flavorframe.errors import AnalysisError

Array = np.ndarray[Any, np.dtype[Any]]

MEMORY = 512 * 2**20
"""The bytes that a process keeps in memory."""
WAITING = 512
"""The number of entries that may wait to be written."""
QUIET_SECONDS = 0.1
"""How long nothing new must come before entries are written, so that re-cuts wait for no disk."""
HELD = 64 * 2**20
"""The bytes that may wait so; with more of them they are written at once."""
ALIGNMENT = 16


@dataclass(frozen=True)
class Entry:
    """Arrays by name, and ``facts`` about them, which JSON can hold."""

    facts: dict[str, Any]
    arrays: dict[str, Array]

    @property
    def nbytes(self) -> int:
        """How many bytes of memory it takes, about."""
        return 1000 + sum(array.nbytes for array in self.arrays.values())


@dataclass(frozen=True)
class Caching:
    """Where results are kept: in memory, and in a folder where one is named."""

    folder: str | None = None


def caching(cache: bool | str | os.PathLike[str] | None) -> Caching | None:
    """Return what ``cache=`` means; see `flavorframe.Analysis.run`.

    Args:
        cache: True for the default folder, False for no cache, or a folder. None means the default
            folder where ``$FLAVORFRAME_CACHE`` is set, memory alone in an interactive session, and
            no cache otherwise.

    Returns:
        Where results are kept, or None where they are not.

    Raises:
        AnalysisError: Where it is neither a truth value nor a folder.

    Example:
        >>> caching(False) is None
        True
    """
    if cache is True:
        return _caching_in(default_folder())
    if cache is False:
        return None
    if cache is None:
        if os.environ.get("FLAVORFRAME_CACHE"):
            return caching(True)
        return Caching() if is_interactive() else None
    if not isinstance(cache, str | os.PathLike):
        raise AnalysisError(f"cache={cache!r}: give True, False or a folder.")
    return _caching_in(Path(cache))


def is_interactive() -> bool:
    """Return whether a person types: in a notebook, in IPython or at Python's prompt."""
    return hasattr(sys, "ps1") or ipython() is not None


def _caching_in(folder: Path) -> Caching:
    """Make the folder, with a warning where it cannot be written; return caching there."""
    folder = Path(os.path.abspath(folder.expanduser()))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with own_home(folder, make=True) as home:
            if not os.access(".", os.W_OK, dir_fd=home):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        reason = f"The cache {folder} cannot be written, so nothing is kept there: {error.strerror}"
        warnings.warn(reason, RuntimeWarning, stacklevel=2)
    return Caching(str(folder))


@lru_cache(maxsize=8)
def cache_of(where: Caching) -> Cache:
    """Return the cache of this process."""
    return Cache(None if where.folder is None else Store(Path(where.folder)))


if hasattr(os, "register_at_fork"):  # the thread that writes stays with the parent
    os.register_at_fork(after_in_child=cache_of.cache_clear)


class Cache:
    """Entries by key, in memory and on disk.

    What a key stands for never changes, so no entry is ever out of date. Entries are written to
    disk by a thread of its own, once nothing new has come for a moment.
    """

    def __init__(self, store: Store | None, memory: int = MEMORY) -> None:
        """Without a ``store`` entries are kept in memory only, up to ``memory`` bytes of them."""
        self.store = store
        self._limit = memory
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._size = 0
        self._lock = Lock()
        self._writer = ThreadPoolExecutor(1, "flavorframe-cache")  # ends only when all is written
        self._room = Condition(self._lock)
        self._waiting, self._held, self._latest = 0, 0, 0.0
        self._hurry = Event()  # until nothing waits

    def get(self, key: str, *, on_disk: bool = True) -> Entry | None:
        """Return an entry with read-only arrays, looked up in memory only if not ``on_disk``.

        Returns None where there is none.
        """
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
                return found
        content = self.store.get(key) if on_disk and self.store is not None else None
        found = None if content is None else decoded(content)
        if found is not None:
            self._remember(key, found)
        return found

    def put(self, key: str, entry: Entry, *, on_disk: bool = True) -> None:
        """Keep an entry, ``on_disk`` too if so asked; its arrays become read-only."""
        for array in entry.arrays.values():
            array.flags.writeable = False
        self._remember(key, entry)
        if on_disk and self.store is not None:
            with self._room:
                self._room.wait_for(lambda: self._waiting < WAITING)
                self._waiting, self._held = self._waiting + 1, self._held + entry.nbytes
                self._latest = time.monotonic()
                if self._held > HELD or self._waiting > WAITING // 2:
                    self._hurry.set()
            self._writer.submit(self._write, self.store, key, entry)

    def flush(self) -> None:
        """Write all that waits to disk, and wait for it."""
        self._hurry.set()
        self._writer.submit(int).result()
        self._count_less(0, 0)

    def _write(self, store: Store, key: str, entry: Entry) -> None:
        try:
            self._wait_for_quiet()
            store.put(key, *encoded(entry))
        finally:
            self._count_less(1, entry.nbytes)

    def _count_less(self, entries: int, size: int) -> None:
        with self._room:
            self._waiting, self._held = self._waiting - entries, self._held - size
            self._room.notify(entries)
            if not self._waiting:
                self._hurry.clear()

    def _wait_for_quiet(self) -> None:
        """Wait until nothing new has come for a moment, or there is a hurry."""
        while (left := self._latest + QUIET_SECONDS - time.monotonic()) > 0:
            if self._hurry.wait(left):
                return

    def _remember(self, key: str, entry: Entry) -> None:
        with self._lock:
            known = self._entries.pop(key, None)
            self._size += entry.nbytes - (known.nbytes if known else 0)
            self._entries[key] = entry
            while self._size > self._limit:
                self._size -= self._entries.popitem(last=False)[1].nbytes


def encoded(entry: Entry) -> list[bytes | memoryview]:
    """Return an entry in pieces: the length of a JSON header, the header, and the arrays' bytes.

    No array is copied, so that writing them holds Python's lock as little as possible.
    """
    arrays = [np.ascontiguousarray(array) for array in entry.arrays.values()]
    described = [[n, a.dtype.str, a.shape] for n, a in zip(entry.arrays, arrays, strict=True)]
    header = json.dumps({"facts": entry.facts, "arrays": described}).encode()
    header += b" " * (-(len(header) + 8) % ALIGNMENT)
    pieces: list[bytes | memoryview] = [len(header).to_bytes(8, "little"), header]
    for array in arrays:
        content: Any = array.reshape(-1).view(np.uint8)
        pieces += [memoryview(content), bytes(-array.nbytes % ALIGNMENT)]
    return pieces


def decoded(content: bytes) -> Entry | None:
    """Return the entry that bytes hold, or None where they hold none."""
    try:
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        position, arrays = 8 + size, {}
        for name, dtype, shape in header["arrays"]:
            kind, count = np.dtype(dtype), math.prod(shape)
            arrays[name] = np.frombuffer(content, kind, count, position).reshape(shape)
            position += arrays[name].nbytes + -arrays[name].nbytes % ALIGNMENT
        return Entry(header["facts"], arrays)
    except (ValueError, TypeError, KeyError):  # the checksum is right, but another program wrote it
        return None
