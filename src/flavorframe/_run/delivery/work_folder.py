"""Private folders on the workers' machines, which hold credentials and files during a run.

A folder has mode 0700 and its files 0600. The process that uses it holds a lock in it: see
`flavorframe._files.locked_folders`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

from flavorframe._files import locked_folders
from flavorframe._files.remote import s3
from flavorframe._shipping import extra_files

PROXY, TOKEN = "x509up", "bearer_token"
FILES, CORRECTIONS, MODELS = "files", "corrections", "models"
S3_KEYS, S3_SETTINGS = "aws_credentials", "aws_config"
"""The names of files and folders in it."""
NOTE = "note.json"

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
    digests = {
        path.name.partition(".")[0]: str(path)
        for kind in (CORRECTIONS, MODELS)
        for path in folder.glob(f"{kind}/*")
    }
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
        self.folder, lock = locked_folders.make(f"{_prefix()}{run}-", {NOTE: _note(run)})
        self._version = -1
        self._users = 0
        self._stack = contextlib.ExitStack()
        self._stack.callback(os.close, lock)
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


def _note(run: str) -> str:
    note = {"run": run, "host": socket.gethostname(), "process": os.getpid(), "since": time.time()}
    return json.dumps(note)


def _prefix() -> str:
    return f"flavorframe-{os.geteuid()}-"


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
    return [
        entry for folder in locked_folders.find(_prefix()) if (entry := _entry(folder)) is not None
    ]


def clean() -> list[Entry]:
    """Remove the folders of this user that were left behind on this machine; return them."""
    left = [entry for entry in entries() if not entry.in_use]
    for entry in left:
        shutil.rmtree(entry.path, ignore_errors=True)
    return left


def _entry(folder: Path) -> Entry | None:
    try:
        note = json.loads((folder / NOTE).read_text())
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        in_use = not locked_folders.is_free(folder)
    except (OSError, ValueError):  # it went away, or is not ours
        return None
    return Entry(
        str(folder), note["host"], note["run"], note["process"], note["since"], size, in_use
    )
