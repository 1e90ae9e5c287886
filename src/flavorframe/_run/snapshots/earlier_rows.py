"""The rows that a run has written already, for the run that completes it.

A file is known by its SHA-256. One that has been completed in the meantime still has the rows: its
manifest says where.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flavorframe._files.file_sets import settle, sha256_of
from flavorframe._snapshots.reading import Reader, reader_of
from flavorframe.engines.partial import Chunk
from flavorframe.errors import RunError
from flavorframe.outputs import Snapshot
from flavorframe.result import Table, WrittenSnapshot

Stored = Table | WrittenSnapshot
Range = tuple[int, int]
BLOCK = 100_000
"""Rows of an earlier file that are copied at once."""


@dataclass
class EarlierRows:
    """Rows of a snapshot, read one after the other: those ``ranges`` of the rows in its files."""

    stored: Stored
    tree: str
    total: int
    ranges: Sequence[Range]
    known: Sequence[tuple[list[str], Sequence[Range]]] = ()
    _position: int = 0
    _pieces: list[tuple[int, int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, stored: Stored, spec: Snapshot) -> EarlierRows:
        """Find the rows; raises RunError where other rows are in their place."""
        rows, tree = len(stored), spec.tree if spec.path else "candidates"
        if isinstance(stored, Table):
            return cls(stored, tree, rows, [(0, rows)])
        hashes, manifest = _hashes(stored), _manifest(stored, spec)
        known = [(e["sha256"], [(a, b) for a, b in e["rows"]]) for e in manifest.get("earlier", [])]
        if _said(manifest) != hashes:
            known = []
        if hashes == list(stored.sha256) or not stored.sha256:
            return cls(stored, tree, rows, [(0, rows)], [*known, (hashes, [(0, rows)])])
        for name, ranges in known:
            if name == list(stored.sha256):
                return cls(stored, tree, manifest["rows"], ranges, known)
        raise RunError(
            f"{stored.paths[0]} is not what the run wrote that is to be resumed: it has been "
            "replaced or changed since. It is left as it is. Put the file back, or run the "
            "analysis anew, to another path where this file is needed."
        )

    def next(self, until: int | None, place: int) -> Iterator[Chunk]:
        """Yield the rows up to that number, which go to a ``place`` among the new ones."""
        stop = len(self.stored) if until is None else until
        before = 0
        for first, last in self.ranges:
            start = max(first, first + self._position - before)
            end = min(last, first + stop - before)
            if start < end:
                self._pieces.append((start, end, place))
                place += end - start
                yield from self._read(start, end)
            before += last - first
        self._position = stop

    def lineage(self) -> list[dict[str, object]]:
        """Return, for each file of which all rows were taken, its SHA-256 and where they are."""
        mapped = [(name, self._mapped(ranges)) for name, ranges in self.known]
        return [{"sha256": name, "rows": rows} for name, rows in mapped if rows is not None]

    def _mapped(self, ranges: Sequence[Range]) -> list[Range] | None:
        found: list[Range] = []
        for first, last in ranges:
            for start, stop, place in self._pieces:
                a, b = max(first, start), min(last, stop)
                if a < b:
                    found.append((place + a - start, place + b - start))
        return found if _length(found) == _length(ranges) else None

    def no_rows(self) -> Chunk:
        """Return the columns without rows, for their types."""
        if isinstance(self.stored, Table):
            return {name: values[:0] for name, values in self.stored.columns.items()}
        path = Path(self.stored.paths[0])
        return _reader(path)(path, self.tree, 0, 0)

    def _read(self, start: int, stop: int) -> Iterator[Chunk]:
        if isinstance(self.stored, Table):
            yield {name: values[start:stop] for name, values in self.stored.columns.items()}
            return
        paths = list(map(Path, self.stored.paths))
        for number, path in enumerate(paths):
            before, after = (i * self.total // len(paths) for i in (number, number + 1))
            first, last = max(start, before) - before, min(stop, after) - before
            for begin in range(first, last, BLOCK):
                yield _reader(path)(path, self.tree, begin, min(begin + BLOCK, last))


def _reader(path: Path) -> Reader:
    return reader_of("parquet" if path.suffix == ".parquet" else "ttree")


def _length(ranges: Sequence[Range]) -> int:
    return sum(stop - start for start, stop in ranges)


def _hashes(stored: WrittenSnapshot) -> list[str]:
    paths = list(map(Path, stored.paths))
    for folder in {path.parent for path in paths}:
        settle(folder)
    for path in paths:
        if not path.is_file():
            raise RunError(f"the snapshot {path} is not there any more: run the analysis anew.")
    return list(map(sha256_of, paths))


def manifest_path(stored: WrittenSnapshot, spec: Snapshot) -> Path:
    """Return where the manifest is: beside the file, or under the name that several have in common.

    For ``rows.root`` that is ``rows.root.manifest.json``, also where its rows are in several files.
    """
    whole = Path(spec.path or stored.paths[0])
    return Path(stored.paths[0]).with_name(f"{whole.name}.manifest.json")


def _manifest(stored: WrittenSnapshot, spec: Snapshot) -> dict[str, Any]:
    try:
        manifest = json.loads(manifest_path(stored, spec).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _said(manifest: dict[str, Any]) -> list[str]:
    files = manifest.get("files", [manifest])
    return [file.get("sha256", "") for file in files]
