"""The rows that a run has written already, for the run that completes it.

A file is known by its SHA-256. One that has been completed in the meantime still has the rows: its
manifest says where.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flavorframe._files.file_sets import settle, sha256_of
from flavorframe._run.snapshots.manifest import Lineage, hashes_in, read_manifest
from flavorframe._snapshots.dividing import shares
from flavorframe._snapshots.reading import Reader, blocks, reader_of
from flavorframe.engines.partial import Chunk
from flavorframe.errors import RunError
from flavorframe.outputs import Snapshot
from flavorframe.result import Table, WrittenSnapshot

Stored = Table | WrittenSnapshot
Range = tuple[int, int]
"""The first of some rows, and the one after the last."""


@dataclass
class EarlierRows:
    """The rows of an earlier run, read one after the other.

    They are the ``ranges`` of the ``total`` rows in the files of ``stored``. ``known`` are other
    files whose rows are among these, by the SHA-256 of each of them.
    """

    stored: Stored
    tree: str
    total: int
    ranges: Sequence[Range]
    known: Sequence[tuple[list[str], Sequence[Range]]] = ()
    _position: int = 0
    _copied: list[tuple[int, int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, stored: Stored, spec: Snapshot) -> EarlierRows:
        """Find the rows; raises RunError where other rows are in their place."""
        rows, tree = len(stored), spec.tree if spec.path else "candidates"
        if isinstance(stored, Table):
            return cls(stored, tree, rows, [(0, rows)])
        hashes, manifest = _hashes(stored), read_manifest(stored, spec)
        known = [(e["sha256"], [(a, b) for a, b in e["rows"]]) for e in manifest.get("earlier", [])]
        if hashes_in(manifest) != hashes:
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
                self._copied.append((start, end, place))
                place += end - start
                yield from self._read(start, end)
            before += last - first
        self._position = stop

    def lineage(self) -> Lineage:
        """Return, for each file of which all rows were taken, its SHA-256 and where they are."""
        mapped = [(name, self._mapped(ranges)) for name, ranges in self.known]
        return [{"sha256": name, "rows": rows} for name, rows in mapped if rows is not None]

    def _mapped(self, ranges: Sequence[Range]) -> list[Range] | None:
        """Return where rows of the earlier file are in the new one, if all of them are."""
        found: list[Range] = []
        for first, last in ranges:
            for start, stop, place in self._copied:
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
        for path, (before, after) in zip(paths, shares(self.total, len(paths)), strict=True):
            for first, last in blocks(max(start, before) - before, min(stop, after) - before):
                yield _reader(path)(path, self.tree, first, last)


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
