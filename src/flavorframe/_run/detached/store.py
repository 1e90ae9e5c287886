"""Where a detached run leaves word: a folder of this machine, or a Dask scheduler."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from flavorframe._files.trust import read_own
from flavorframe._files.writing import file_name, make_folder, write_private, writing
from flavorframe._run.dask.cluster import ask
from flavorframe.errors import RunError


class Board(Protocol):
    """Pieces of bytes by name; ``put`` replaces, ``get`` gives ``None`` where there is none.

    What cannot be written, or is not as it was written, is a RunError.
    """

    def claim(self, job: bytes) -> bool:
        """Begin a run with a job; false where there is one of this name already."""

    def exists(self) -> bool:
        """Whether there is a run of this name."""

    def get(self, key: str) -> bytes | None:
        """Return what is there under a name."""

    def put(self, key: str, content: bytes) -> None:
        """Put something there under a name."""

    def make_room(self) -> None:
        """Make room for a few words more, where there is none."""

    def is_alive(self) -> bool:
        """Whether what conducts the run, or is about to have it conducted, is still there."""

    def clear(self) -> None:
        """Remove everything."""


class FolderBoard:
    """A folder of this machine; `Process` is the one that conducts the run.

    It appears whole, with the job, so that of two of one name one comes first.
    """

    def __init__(self, name: str) -> None:
        self.folder = runs_folder() / file_name(name)

    def claim(self, job: bytes) -> bool:
        """Begin a run with a job; false where there is one of this name already."""
        make_folder(self.folder.parent)
        _remove_left(self.folder.parent)
        with writing(self.folder):
            hidden = Path(tempfile.mkdtemp(prefix=".", dir=self.folder.parent))
        try:
            for key, content in {"process": this_process(), "job": job, _ROOM: bytes(ROOM)}.items():
                _write(hidden / key, content)
            with writing(self.folder):
                return _renamed(hidden, self.folder)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)

    def exists(self) -> bool:
        """Whether there is a run of this name."""
        return (self.folder / "job").exists()

    def get(self, key: str) -> bytes | None:
        """Return what is written under a name; raises RunError where it is damaged."""
        try:
            found = read_own(self.folder / key)
        except FileNotFoundError:
            return None
        digest, content = found[:_DIGEST], found[_DIGEST:]
        if sha256(content).digest() != digest:
            raise RunError(
                f"{self.folder / key} is damaged, or of another version: its checksum is another. "
                "Submit the run anew, under another name."
            )
        return content

    def put(self, key: str, content: bytes) -> None:
        """Write under a name."""
        make_folder(self.folder)
        _write(self.folder / key, content)

    def make_room(self) -> None:
        """Give up what was kept for this."""
        (self.folder / _ROOM).unlink(missing_ok=True)

    def is_alive(self) -> bool:
        """Whether the process that conducts the run exists, and is the one that was started."""
        return is_process(self.get("process") or b"0 0")

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


ROOM = 1 << 16
"""Bytes that are kept on disk for what must be told where there is no other room."""
LEFT_SECONDS = 3600
"""After so long nobody is still about to submit."""
_ROOM = "room"
_DIGEST = sha256().digest_size


def _write(path: Path, content: bytes) -> None:
    """Write something with its checksum before it."""
    write_private(path, sha256(content).digest() + content)


def _renamed(hidden: Path, folder: Path) -> bool:
    """Give a folder its name; false where something else has it."""
    try:
        hidden.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            return False
        raise
    return True


def _remove_left(runs: Path) -> None:
    """Remove what those left that were killed while they submitted, also on other machines."""
    for hidden in runs.glob(".*"):
        with contextlib.suppress(OSError):  # it went away
            if time.time() - hidden.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(hidden, ignore_errors=True)


def this_process() -> bytes:
    """Return what tells this process from all others of this machine."""
    return process_of(os.getpid())


def process_of(pid: int) -> bytes:
    """Return what tells a process from all others of this machine."""
    import psutil

    return f"{pid} {psutil.Process(pid).create_time()}".encode()


def is_process(told: bytes) -> bool:
    """Whether a process is still there."""
    import psutil

    pid, _, started = told.partition(b" ")
    try:
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - float(started)) < 1
        return same and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


class DaskBoard:
    """The scheduler's metadata; the run is conducted by a task."""

    def __init__(self, name: str, client: Any) -> None:
        self.client = client
        self.key = f"flavorframe-run-{name}"

    @property
    def _claim(self) -> str:
        return f"{self.key}-claim"

    def claim(self, job: bytes) -> bool:
        """Begin a run; false where there is one of this name already."""
        if self.exists():
            return False
        try:
            self.client.publish_dataset(time.time(), name=self._claim)
        except KeyError:  # another was first
            return False
        return True

    def exists(self) -> bool:
        """Whether there is a run of this name."""
        return self._claim in self.client.list_datasets()

    def get(self, key: str) -> bytes | None:
        """Return what is known under a name."""
        where = {"keys": [self.key, key], "default": None}
        content: bytes | None = self._ask(self.client.scheduler.get_metadata, **where)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Make known under a name."""
        self._ask(self.client.scheduler.set_metadata, keys=[self.key, key], value=content)

    def _ask(self, question: Any, **more: Any) -> Any:
        try:
            return ask(self.client, question, **more)
        except (OSError, TimeoutError) as error:
            reason = str(error).rstrip(".") or "no answer"
            raise RunError(f"the scheduler that knows of {self.key} is lost: {reason}.") from error

    def make_room(self) -> None:
        """Nothing: there is room as long as there is a scheduler."""

    def is_alive(self) -> bool:
        """Whether the task is there and has not ended."""
        with contextlib.suppress(KeyError):
            future = self.client.get_dataset(self.key)
            return future.status not in ("finished", "error", "cancelled", "lost")
        with contextlib.suppress(KeyError):  # between the claim and the task
            return bool(time.time() - self.client.get_dataset(self._claim) < SUBMIT_SECONDS)
        return False

    def clear(self) -> None:
        """Remove everything."""
        for name in (self.key, self._claim):
            self.client.unpublish_dataset(name)
        self.client.set_metadata([self.key], {})


SUBMIT_SECONDS = 60
"""How long it may take to submit a task that conducts a run."""


def known_runs() -> list[str]:
    """Return the names of this machine's detached runs."""
    return [unquote(path.parent.name) for path in runs_folder().glob("[!.]*/job")]


def runs_folder() -> Path:
    """Return the folder of this machine's detached runs, below ``XDG_STATE_HOME``."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "flavorframe" / "runs"
