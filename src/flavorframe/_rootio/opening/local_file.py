"""Files of this machine, as uproot and the compiled part read them."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from queue import Queue
from typing import Any

from uproot.source.chunk import Chunk, Source as UprootSource
from uproot.source.futures import TrivialFuture

from flavorframe._rootio.read_errors import DamageError
from flavorframe._rootio.source import Bytes, Range
from flavorframe.errors import FileError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class LocalFile(UprootSource):  # type: ignore[misc]
    """A regular file, opened once. It is not mapped into memory: one that shrinks is an error."""

    descriptor: int | None = None
    _close = staticmethod(os.close)  # when Python ends, modules go before files

    def __init__(self, path: str, **options: Any) -> None:
        """Open the file; ``options`` are uproot's.

        Raises FileError where that cannot be done, DamageError for a file that is not ROOT's.
        """
        super().__init__()
        self._file_path = path
        self.descriptor = _open_regular(path)
        self._num_bytes = os.fstat(self.descriptor).st_size
        begin = self._bytes(0, 4)
        if begin != b"root":
            raise DamageError(f"it begins with {begin!r}, not b'root'.")

    def __del__(self) -> None:
        self.close()

    def ranges(self, wanted: Sequence[Range]) -> list[Bytes]:
        """Return the bytes of each range; fewer where the file ends."""
        return [self._bytes(start, stop) for start, stop in wanted]

    def chunk(self, start: int, stop: int) -> Any:
        """Return the bytes from start up to stop, as uproot has them."""
        return Chunk(self, start, stop, TrivialFuture(self._bytes(start, stop)))

    def chunks(self, ranges: list[Range], notifications: Queue[Any]) -> list[Any]:
        """Return the chunks of all ranges, and put each into the queue."""
        found = [self.chunk(start, stop) for start, stop in ranges]
        for chunk in found:
            notifications.put(chunk)
        return found

    def _bytes(self, start: int, stop: int) -> bytes:
        if self.descriptor is None:
            raise OSError("the file was closed")
        within = min(stop, self._num_bytes)  # damaged numbers ask for more than there is memory
        return os.pread(self.descriptor, max(within - start, 0), start)

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self.descriptor is None

    def __enter__(self) -> LocalFile:
        return self

    def __exit__(self, *error: object) -> None:
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            self._close(descriptor)


def _open_regular(path: str) -> int:
    """Return a descriptor of a file; raises FileError for a pipe and the like, without waiting."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            kind = _KINDS.get(stat.S_IFMT(mode), "something of another kind")
            raise FileError(f"{path}: it is {kind}, not a file: only files can be read.")
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such file.") from None
    except PermissionError:
        raise FileError(f"{path}: no permission to read the file.") from None
