"""Files that belong together take their places together; a second writer is refused.

Each is written under a hidden name. When all are whole, a *journal* in their folder says which is
to take which place, and then they do. Where that process is killed in between, `settle` does the
rest: it is called by whoever writes or reads there next.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import secrets
import socket
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flavorframe._files.writing import hidden_file, is_at, lock, remove_left, writing
from flavorframe.errors import RunError

JOURNAL = ".commit"
PIECE = 1 << 22
"""Bytes that are read at once for a file's SHA-256."""


class FileSet:
    """Files that take their places when `commit` is called, and are dropped otherwise.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, FileSet() as files:
    ...     for name in ("a.txt", "b.txt"):
    ...         _ = files.new(Path(folder, name)).write_text("whole")
    ...     files.commit()
    ...     sorted(os.listdir(folder))
    ['a.txt', 'b.txt']
    """

    def __init__(self) -> None:
        self._files: dict[Path, tuple[Path, int]] = {}
        self._stale: list[Path] = []
        self._settled: set[Path] = set()
        self._locks = contextlib.ExitStack()

    def __enter__(self) -> FileSet:
        return self

    def __exit__(self, *error: object) -> None:
        self.discard()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # Python itself may be ending
            self.discard()

    def __reduce__(self) -> tuple[Callable[[], FileSet], tuple[()]]:
        return FileSet, ()  # what is under way belongs to this process

    def lock(self, path: Path) -> None:
        """Have nobody else write a path until the end; raises RunError where somebody does."""
        self._locks.enter_context(locked(path))

    def new(self, path: Path, *, mode: int = 0o666) -> Path:
        """Make a hidden file that is to take the place of ``path``, and return it."""
        if path.parent not in self._settled:
            settle(path.parent)
            self._settled.add(path.parent)
        with writing(path):
            hidden, descriptor = hidden_file(path, mode)
        self._files[hidden] = (path, descriptor)
        return hidden

    def remove(self, path: Path) -> None:
        """Have what lies at ``path`` go when the others take their places."""
        self._stale.append(path)

    def drop(self, hidden: Path) -> None:
        """Remove one of the hidden files."""
        if hidden in self._files:
            _, descriptor = self._files.pop(hidden)
            if is_at(descriptor, hidden):
                hidden.unlink()
            else:  # what was in the place before; or by now it is another process's
                remove_left(hidden)
            os.close(descriptor)

    def drop_for(self, path: Path) -> None:
        """Remove the hidden files that are to take a place."""
        for hidden in [hidden for hidden, (place, _) in self._files.items() if place == path]:
            self.drop(hidden)

    def join(self, other: FileSet) -> None:
        """Take over the files of another set."""
        self._files |= other._files
        self._stale += other._stale
        self._locks.push(other._locks.pop_all())
        other._files, other._stale = {}, []

    def commit(self) -> None:
        """Have all take their places; raises OutputError where the system does not let them."""
        places: defaultdict[Path, list[Move]] = defaultdict(list)
        for hidden, (path, descriptor) in self._files.items():
            exchange = lock(descriptor) is not None  # or what was there could not be told apart
            inode = os.fstat(descriptor).st_ino
            places[path.parent].append(Move(path, hidden, inode, exchange))
        for path in self._stale:
            places[path.parent].append(Move(path))
        for folder, moves in places.items():
            with writing(moves[0].path):
                _place(folder, moves)
        self.discard()

    def discard(self) -> None:
        """Remove the hidden files that have not taken their places, and let go of all locks."""
        for hidden in list(self._files):
            self.drop(hidden)
        self._stale = []
        self._locks.close()


@dataclass(frozen=True)
class Move:
    """A hidden file, with its number in the file system, and its place; or (None) what is to go.

    ``exchange`` tells whether what is in the place may be hidden instead, for a moment.
    """

    path: Path
    hidden: Path | None = None
    inode: int = 0
    exchange: bool = False

    def make(self) -> None:
        """Move the file, if that has not been done; what was in its place is hidden then."""
        if self.hidden is None:
            self.path.unlink(missing_ok=True)
        elif not self.is_made:
            with contextlib.suppress(FileNotFoundError):
                if not (self.exchange and _exchanged(self.hidden, self.path)):
                    os.replace(self.hidden, self.path)

    @property
    def is_made(self) -> bool:
        """Whether the file is in its place."""
        with contextlib.suppress(FileNotFoundError):
            return os.stat(self.path).st_ino == self.inode
        return False


def _place(folder: Path, moves: list[Move]) -> None:
    if len(moves) == 1:  # which needs no journal
        _make(moves)
        return
    with _journal(folder, moves):
        try:
            _make(moves)
        except BaseException:  # such as Ctrl-C: what has begun is done
            _make(moves)
            raise


def _make(moves: list[Move]) -> None:
    for move in moves:
        move.make()
    if not all(move.path.exists() for move in moves if move.hidden is not None):
        raise FileNotFoundError(errno.ENOENT, "it was removed while it was written")


def _exchanged(a: Path, b: Path) -> bool:
    """Let two files change places, where the system can: to replace one takes longer."""
    if _renameat2 is None:
        return False
    names = os.fsencode(a), os.fsencode(b)
    return bool(_renameat2(_HERE, names[0], _HERE, names[1], _EXCHANGE) == 0)


_renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE


@contextlib.contextmanager
def _journal(folder: Path, moves: list[Move]) -> Iterator[None]:
    """Keep in the folder what is being done, until it is."""
    journal = folder / f".{secrets.token_hex(4)}{JOURNAL}"
    hidden, descriptor = hidden_file(folder / "journal")
    try:
        content = [[m.path.name, m.hidden and m.hidden.name, m.inode] for m in moves]
        hidden.write_text(json.dumps(content), encoding="utf-8")
        os.rename(hidden, journal)
    except BaseException:
        hidden.unlink(missing_ok=True)
        os.close(descriptor)
        raise
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # its folder may not exist any more
            journal.unlink()
        os.close(descriptor)


def settle(folder: Path) -> None:
    """Finish what a process that was killed had begun to do in a folder, where this one may."""
    for journal in folder.glob(f".*{JOURNAL}"):
        with contextlib.suppress(OSError), open(journal, "rb") as file:
            with contextlib.suppress(OSError):  # without locks both do it, which does no harm
                fcntl.flock(file, fcntl.LOCK_EX)
            if is_at(file.fileno(), journal):
                _finish(folder, json.load(file))
                journal.unlink(missing_ok=True)


def _finish(folder: Path, content: list[tuple[str, str | None, int]]) -> None:
    moves = [
        Move(folder / Path(name).name, folder / Path(hidden).name if hidden else None, inode)
        for name, hidden, inode in content
    ]
    for move in moves:
        move.make()
    for move in moves:
        if move.hidden is not None:
            remove_left(move.hidden)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Have nobody else write a file or folder; raises RunError, which says who does.

    The system lets go of the lock however this process ends. Warns where there are no locks.
    """
    file = path.with_name(f".{path.name}.lock")
    with writing(path):
        descriptor = _lock(file, path)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
        os.close(descriptor)


def _lock(file: Path, path: Path) -> int:
    while True:
        descriptor = _opened(file)
        state = lock(descriptor)
        if state is False:
            who = os.read(descriptor, 1000).decode("utf-8", "replace") or "another process"
            os.close(descriptor)
            raise RunError(
                f"cannot write {path.name} in folder {path.parent}: {who} is writing it. Wait for "
                "its end, or write elsewhere."
            )
        if state is None:
            warnings.warn(
                f"{path.parent} is on a file system without locks: see to it that no other run "
                f"writes {path.name}.",
                stacklevel=4,
            )
        if is_at(descriptor, file):  # not removed in this moment by who had it before
            _sign(descriptor)
            return descriptor
        os.close(descriptor)


def _opened(file: Path) -> int:
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except PermissionError:  # a colleague's process was killed, and left it
        if not file.exists():
            raise
        return os.open(file, os.O_RDONLY | os.O_NOFOLLOW)


def _sign(descriptor: int) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    text = f"process {os.getpid()} on {socket.gethostname()} (since {since})"
    with contextlib.suppress(OSError):  # a full disk
        os.ftruncate(descriptor, 0)
        os.write(descriptor, text.encode())


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
