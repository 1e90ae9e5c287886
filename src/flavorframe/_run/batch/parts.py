"""Parts: each job writes its records to a file with a checksum."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from flavorframe._files.trust import open_own
from flavorframe._files.writing import replacing
from flavorframe.errors import FileError

_START = b"flavorframe part 2\n"
_BLOCK = 1 << 20
DAMAGED = "it is damaged, half written, or of another version"


def write_part(path: Path, label: str, records: Iterable[Any]) -> None:
    """Write the records, then their digest; the file appears once it is complete.

    The label, of one line, names the job whose part it is.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_part(Path(folder, "0.part"), "job 0", ["one", 2])
    ...     fault(Path(folder, "0.part"), "job 0"), fault(Path(folder, "0.part"), "job 1")
    ...     list(read_part(Path(folder, "0.part"), "job 0"))
    ('', 'it is the part of job 0, not of job 1')
    ['one', 2]
    """
    with replacing(path, mode=0o600) as hidden, hidden.open("wb") as file:
        digested = _Digested(file)
        digested.write(_START + f"{label}\n".encode())
        for record in records:
            pickle.dump(record, digested, protocol=pickle.HIGHEST_PROTOCOL)
        file.write(digested.digest)


def read_part(path: Path, label: str) -> Generator[Any, None, None]:
    """Return the records of a part, one after the other; raises FileError if it is faulty."""
    try:
        file = open_own(path)
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such part.") from None
    wrong = _fault(file, label)
    if wrong:
        file.close()
        raise FileError(f"{path}: {wrong}.")
    return _records(file)


def _records(file: BinaryIO) -> Generator[Any, None, None]:
    with file:
        end = file.seek(0, os.SEEK_END) - hashlib.sha256().digest_size
        file.seek(len(_START))
        file.readline()
        while file.tell() < end:
            yield pickle.load(file)


def fault(path: Path, label: str) -> str | None:
    """Return what is wrong with a part; ``""`` if nothing is, None if there is no part."""
    try:
        with open_own(path) as file:
            return _fault(file, label)
    except FileNotFoundError:
        return None


def _fault(file: BinaryIO, label: str) -> str:
    if not _is_whole(file):
        return DAMAGED
    file.seek(len(_START))
    found = file.readline().decode().rstrip("\n")
    return "" if found == label else f"it is the part of {found}, not of {label}"


def _is_whole(file: BinaryIO) -> bool:
    digest = hashlib.sha256()
    left = file.seek(0, os.SEEK_END) - digest.digest_size
    file.seek(0)
    if file.read(len(_START)) != _START:
        return False
    file.seek(0)
    while left > 0 and (block := file.read(min(left, _BLOCK))):
        digest.update(block)
        left -= len(block)
    return file.read() == digest.digest()


class _Digested:
    """A file to write to, with the digest of what was written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> bytes:
        return self._digest.digest()

    def write(self, content: bytes) -> int:
        self._digest.update(content)
        return self._file.write(content)
