"""Snapshots that are in files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class WrittenSnapshot:
    """A snapshot that was written to a file while the run went on; sums of results have several.

    Attributes:
        paths: The files.
        rows: How many rows they have together.
        sha256: The SHA-256 of each file as it was written.
    """

    paths: tuple[str, ...]
    rows: int
    sha256: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.rows

    def moved(self, old: Path, new: Path) -> WrittenSnapshot:
        """Return the snapshot after a folder was moved in which its files may be."""
        return replace(self, paths=tuple(moved(path, old, new) for path in self.paths))


def moved(path: str, old: Path, new: Path) -> str:
    """Return the path of a file after a folder was moved in which it may be."""
    return str(new / Path(path).relative_to(old)) if Path(path).is_relative_to(old) else path
