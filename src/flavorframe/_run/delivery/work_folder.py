"""Private folders on the workers' machines, which hold credentials and files during a run.

A folder has mode 0700 and its files 0600. The process that uses it holds a lock in it, which the
system lets go of when the process ends, however it ends: a folder without its lock was left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

from flavorframe._files.remote import s3
from flavorframe._shipping import extra_files

PROXY, TOKEN, FILES, CORRECTIONS = "x509up", "bearer_token", "files", "corrections"
S3_KEYS, S3_SETTINGS = "aws_credentials", "aws_config"
"""The names of files and folders in it."""
NOTE, LOCK = "note.json", "lock"

_VARIABLES = {
    PROXY: "X509_USER_PROXY",
    TOKEN: "BEARER_TOKEN_FILE",
    S3_KEYS: s3.CREDENTIALS_FILE,
    S3_SETTINGS: s3.CONFIG_FILE,
}
_SHADOWS = {TOKEN: ("BEARER_TOKEN",), S3_KEYS: s3.KEYS, S3_SETTINGS: s3.SETTINGS}
"""Variables that would take precedence."""


@dataclass(frozen=True)
class Payload:
    """The contents of a folder, by their paths in it; ``repr`` does not show them."""

    contents: Mapping[str, bytes] = field(repr=False)
    version: int = 0

    def __bool__(self) -> bool:
        return bool(self.contents)

    def write(self, folder: Path) -> None:
        """Write each file whole, in place of an older one."""
        for name, content in self.contents.items():
            path = folder / name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            new = path.with_name(f"{path.name}.new")
            new.unlink(missing_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            new.replace(path)


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Let this process use the credentials and files of a folder."""
    earlier = _set_variables(folder)
    names = {path.name: str(path) for path in folder.glob(f"{FILES}/*")}
    digests = {path.name.partition(".")[0]: str(path) for path in folder.glob(f"{CORRECTIONS}/*")}
    extra_files.register(names, digests)
    try:
        yield
    finally:
        extra_files.forget(names, digests)
        _restore(earlier)


def _set_variables(folder: Path) -> dict[str, str | None]:
    """Point the environment to the folder's credentials; return the variables as they were."""
    earlier: dict[str, str | None] = {}
    for name, variable in _VARIABLES.items():
        if (folder / name).exists():
            for shadow in _SHADOWS.get(name, ()):
                if shadow in os.environ:
                    earlier[shadow] = os.environ.pop(shadow)
            earlier[variable] = os.environ.get(variable)
            os.environ[variable] = str(folder / name)
    return earlier


def _restore(earlier: Mapping[str, str | None]) -> None:
    for variable, value in earlier.items():
        if value is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = value


class WorkFolder:
    """The folder of one run in this process, which may hold several workers."""

    _held: dict[str, WorkFolder] = {}  # noqa: RUF012 - of the process
    _guard = RLock()

    def __init__(self, run: str) -> None:
        clean()
        self.folder = _new_folder(run)
        self._version = -1
        self._users = 0
        self._stack = contextlib.ExitStack()
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._stack.callback(os.close, _locked(self.folder))
        # It gets its name only now that it is locked: without a lock, others would remove it.
        final = self.folder.with_name(self.folder.name.removeprefix("."))
        self.folder = self.folder.rename(final)
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)

    @classmethod
    def acquire(cls, run: str, payload: Payload) -> None:
        """Write a payload into the run's folder; newer contents replace older ones."""
        with cls._guard:
            held = cls._held.get(run) or cls._held.setdefault(run, cls(run))
            held._users += 1
            held._write(payload)

    @classmethod
    def release(cls, run: str) -> None:
        """Remove the folder once no worker in this process needs it."""
        with cls._guard:
            held = cls._held.get(run)
            if held is None:
                return
            held._users -= 1
            if not held._users:
                cls._held.pop(run)._stack.close()

    def _write(self, payload: Payload) -> None:
        if payload.version <= self._version:
            return
        payload.write(self.folder)
        if self._version < 0:
            self._stack.enter_context(in_use(self.folder))
        self._version = payload.version


def _new_folder(run: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f".{_prefix()}{run}-"))
    note = {"run": run, "host": socket.gethostname(), "process": os.getpid(), "since": time.time()}
    (folder / NOTE).write_text(json.dumps(note))
    (folder / LOCK).touch(mode=0o600)
    return folder


def _prefix() -> str:
    return f"flavorframe-{os.getuid()}-"


def _locked(folder: Path) -> int:
    """Return a file descriptor that holds the folder's lock; raises BlockingIOError if it is held.

    The lock goes when the descriptor is closed, or the process ends.
    """
    import fcntl

    descriptor = os.open(folder / LOCK, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


# All folders of this user


@dataclass(frozen=True)
class Entry:
    """A folder on a machine: its run, process, age, size, and whether it is in use."""

    path: str
    host: str
    run: str
    process: int
    since: float
    bytes: int
    in_use: bool


def entries() -> list[Entry]:
    """Return the folders of this user on this machine."""
    return [entry for folder in _folders() if (entry := _entry(folder)) is not None]


def clean() -> list[Entry]:
    """Remove the folders of this user that were left behind on this machine; return them."""
    left = [entry for entry in entries() if not entry.in_use]
    for entry in left:
        shutil.rmtree(entry.path, ignore_errors=True)
    return left


def _folders() -> Iterator[Path]:
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{_prefix()}*")):
        with contextlib.suppress(OSError):  # it went away
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid():
                yield folder


def _entry(folder: Path) -> Entry | None:
    try:
        note = json.loads((folder / NOTE).read_text())
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        in_use = not _is_free(folder)
    except (OSError, ValueError):  # it went away, or is not ours
        return None
    return Entry(
        str(folder), note["host"], note["run"], note["process"], note["since"], size, in_use
    )


def _is_free(folder: Path) -> bool:
    try:
        os.close(_locked(folder))
    except BlockingIOError:
        return False
    return True
