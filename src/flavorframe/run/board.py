"""Where a detached run leaves word: a folder of this machine, or a Dask scheduler."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from flavorframe.trust import read_own
from flavorframe.writing import file_name, make_folder, write_private


class Board(Protocol):
    """Pieces of bytes by name; ``put`` replaces, ``get`` gives ``None`` where there is none."""

    def get(self, key: str) -> bytes | None:
        """Return what is there under a name."""

    def put(self, key: str, content: bytes) -> None:
        """Put something there under a name."""

    def is_alive(self) -> bool:
        """Whether what conducts the run is still there."""

    def clear(self) -> None:
        """Remove everything."""


class FolderBoard:
    """A folder of this machine; `Process` is the one that conducts the run."""

    def __init__(self, name: str) -> None:
        self.folder = runs_folder() / file_name(name)

    def get(self, key: str) -> bytes | None:
        """Return what is written under a name."""
        with contextlib.suppress(FileNotFoundError):
            return read_own(self.folder / key)
        return None

    def put(self, key: str, content: bytes) -> None:
        """Write under a name."""
        make_folder(self.folder)
        write_private(self.folder / key, content)

    def is_alive(self) -> bool:
        """Whether the process that conducts the run exists, and is the one that was started."""
        import psutil

        pid, _, started = (self.get("process") or b"0 0").partition(b" ")
        try:
            process = psutil.Process(int(pid))
            same = abs(process.create_time() - float(started)) < 1
            return same and bool(process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


class DaskBoard:
    """The scheduler's metadata; the run is conducted by a task."""

    def __init__(self, name: str, client: Any) -> None:
        self.client = client
        self.key = f"flavorframe-run-{name}"

    def get(self, key: str) -> bytes | None:
        """Return what is known under a name."""
        content: bytes | None = self.client.get_metadata([self.key, key], default=None)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Make known under a name."""
        self.client.set_metadata([self.key, key], content)

    def is_alive(self) -> bool:
        """Whether the task is there and has not failed."""
        with contextlib.suppress(KeyError):
            future = self.client.get_dataset(self.key)
            return future.status not in ("error", "cancelled", "lost")
        return False

    def clear(self) -> None:
        """Remove everything."""
        self.client.unpublish_dataset(self.key)
        self.client.set_metadata([self.key], {})


def known_runs() -> list[str]:
    """Return the names of this machine's detached runs."""
    return [unquote(path.parent.name) for path in runs_folder().glob("*/job")]


def runs_folder() -> Path:
    """Return the folder of this machine's detached runs, below ``XDG_STATE_HOME``."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "flavorframe" / "runs"
