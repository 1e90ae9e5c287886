"""Parts: what a job gives back, a file of records that is whole or is none."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from flavorframe.trust import open_own
from flavorframe.writing import replacing

_START = b"flavorframe part 1\n"
_BLOCK = 1 << 20


def write_part(path: Path, records: Iterable[Any]) -> None:
    """Write the records as they come, and after them a digest; the file appears when all are there.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_part(Path(folder, "0.part"), ["one", 2])
    ...     is_whole(Path(folder, "0.part")), list(read_part(Path(folder, "0.part")))
    (True, ['one', 2])
    """
    with replacing(path, mode=0o600) as hidden, hidden.open("wb") as file:
        digested = _Digested(file)
        digested.write(_START)
        for record in records:
            pickle.dump(record, digested, protocol=pickle.HIGHEST_PROTOCOL)
        file.write(digested.digest)


def read_part(path: Path) -> Iterator[Any]:
    """Yield the records of a part that is whole, one after the other."""
    with open_own(path) as file:
        end = file.seek(0, os.SEEK_END) - hashlib.sha256().digest_size
        file.seek(len(_START))
        while file.tell() < end:
            yield pickle.load(file)


def is_whole(path: Path) -> bool:
    """Whether there is a part, and it is as it was written."""
    try:
        with open_own(path) as file:
            return _is_whole(file)
    except FileNotFoundError:
        return False


def _is_whole(file: BinaryIO) -> bool:
    digest = hashlib.sha256()
    left = file.seek(0, 2) - digest.digest_size
    file.seek(0)
    if left < len(_START):
        return False
    while left and (block := file.read(min(left, _BLOCK))):
        digest.update(block)
        left -= len(block)
    return file.read() == digest.digest()


class _Digested:
    """A file to write to that keeps the digest of what went through."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> bytes:
        return self._digest.digest()

    def write(self, content: bytes) -> int:
        self._digest.update(content)
        return self._file.write(content)
