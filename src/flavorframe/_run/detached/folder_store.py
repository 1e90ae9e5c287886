"""The store of a detached run in a folder on this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from flavorframe._files.trust import read_own
from flavorframe._files.writing import file_name, make_folder, write_private, writing
from flavorframe.errors import RunError


class FolderStore:
    """A folder on this machine; a process of this machine conducts the run.

    The folder appears at once, with the job in it: of two processes that submit one name, one can.
    """

    def __init__(self, name: str) -> None:
        self.folder = runs_folder() / file_name(name)

    def create(self, job: bytes) -> bool:
        """Create the run with its job; return whether the name was free."""
        make_folder(self.folder.parent)
        _remove_left_behind(self.folder.parent)
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
        """Return the bytes under a name; raises RunError if they are damaged."""
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
        """Write bytes under a name."""
        make_folder(self.folder)
        _write(self.folder / key, content)

    def make_room(self) -> None:
        """Remove the file that was kept for this."""
        (self.folder / _ROOM).unlink(missing_ok=True)

    def is_alive(self) -> bool:
        """Whether the process that conducts the run exists, and is the one that was started."""
        return is_process(self.get("process") or b"0 0")

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


ROOM = 1 << 16
"""Bytes kept free on a disk, to record the end of a run when the disk is full."""
LEFT_SECONDS = 3600
"""Longest time that submitting takes [s]; unfinished folders that are older were left behind."""
_ROOM = "room"
_DIGEST = sha256().digest_size


def _write(path: Path, content: bytes) -> None:
    """Write something with its checksum before it."""
    write_private(path, sha256(content).digest() + content)


def _renamed(hidden: Path, folder: Path) -> bool:
    """Give a folder its name; return whether the name was free."""
    try:
        hidden.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            return False
        raise
    return True


def _remove_left_behind(runs: Path) -> None:
    """Remove folders of processes that were killed while they submitted."""
    for hidden in runs.glob(".*"):
        with contextlib.suppress(OSError):  # it went away
            if time.time() - hidden.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(hidden, ignore_errors=True)


def this_process() -> bytes:
    """Return what identifies this process among all of this machine."""
    return process_of(os.getpid())


def process_of(pid: int) -> bytes:
    """Return what identifies a process among all of this machine."""
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


def known_runs() -> list[str]:
    """Return the names of this machine's detached runs."""
    return [unquote(path.parent.name) for path in runs_folder().glob("[!.]*/job")]


def runs_folder() -> Path:
    """Return the folder of this machine's detached runs, below ``XDG_STATE_HOME``."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "flavorframe" / "runs"
