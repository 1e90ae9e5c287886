"""What a cache knows of a partition: columns that were read, and survivors after each step.

A key is made of everything that the answer depends on: the file as the system knows it, the range
of events, the code of this package, and the steps that lead there. An answer to another question
has another key.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import flavorframe
from flavorframe._cache import Cache, Entry
from flavorframe._expr import nodes as n
from flavorframe._expr.identity.fingerprints import (
    UnknownIdentityError,
    fingerprint,
    is_lasting,
    joined,
)
from flavorframe._files.remote import access
from flavorframe._files.versions import Version, version_of
from flavorframe._planning.plan import Plan
from flavorframe._rootio.arrays import Array, Names, Packed, Values
from flavorframe.datasets import Partition
from flavorframe.engines._columnar.candidates import Candidates
from flavorframe.engines._columnar.segments import UNKNOWN, mask_at, places
from flavorframe.selection import Best, Step

SETTLED_SECONDS = 2.0
"""A file that changed so lately could change again within a tick of its file system's clock."""

Key = str | None
"""None where no key can be told: then nothing is known, and nothing is kept."""


class Known:
    """What the cache has of a partition; what is new is kept by `keep`, once all is read."""

    def __init__(self, cache: Cache, partition: Partition, version: Version) -> None:
        """``version`` is that of the file at the time when it was opened."""
        self._cache, self._file, self._version = cache, partition.file, version
        of = (version.content, version.there)  # on whichever machine
        place = (partition.file, partition.tree, partition.start, partition.stop, of)
        self._base = joined("partition", code_digest(), repr(place).encode())
        self._new: dict[str, tuple[Entry, bool]] = {}
        self._keys: dict[n.Node, Key] = {}
        self._read: set[str] = set()
        self._passing: dict[Any, bytes] = {}
        self._wide: Array | None = None
        self._wide_key: Key = None

    def keep(self) -> None:
        """Keep what is new, unless the file has changed meanwhile.

        What was computed is kept only if the user's functions are what they were when it began.
        """
        if self._new and is_settled(self._file, self._version):
            same = self._are_functions_the_same()
            for key, (entry, lasting) in self._new.items():
                if same or key in self._read:
                    self._cache.put(key, entry, lasting=lasting)
        self._new = {}

    def _are_functions_the_same(self) -> bool:
        try:
            return all(fingerprint(each) == known for each, known in self._passing.items())
        except UnknownIdentityError:
            return False

    def _fingerprint(self, value: Any) -> bytes:
        """Return a fingerprint, and note what may have another when all is computed."""
        found = fingerprint(value)
        if not is_lasting(value):
            self._passing[value] = found
        return found

    # columns

    def column(self, branch: str) -> tuple[Array, Any] | None:
        """Return the events at which a branch was read, and what was read of it."""
        entry = self.get(self._column_key(branch))
        if entry is None:
            return None
        arrays = entry.arrays
        content: Any = arrays["content"]
        if "words" in entry.facts:
            content = Names(content, tuple(entry.facts["words"]))
        if "sizes" in arrays:
            content = Packed(content, arrays["sizes"], arrays.get("starts"))
        return arrays["rows"].astype(np.int64), content

    def note_column(self, branch: str, rows: Array, stored: Any) -> None:
        """Take up what was read of a branch."""
        arrays, facts = {"rows": rows.astype(np.int32)}, {}
        content = stored
        if isinstance(stored, Packed):
            content, arrays["sizes"] = stored.content, stored.sizes
            if stored.placed is not None:
                arrays["starts"] = stored.placed
        if isinstance(content, Names):
            facts["words"], content = content.words, content.codes
        arrays["content"] = content
        key = self._column_key(branch)
        self._read.add(key)
        self.note(key, Entry(facts, arrays))

    def _column_key(self, branch: str) -> str:
        return joined("column", self._base, branch.encode()).hex()

    def wide(self) -> Array:
        """Return the events that a branch is read at, if it is read at all."""
        if self._wide is None:
            entry = self.get(self._wide_key)
            self._wide = np.zeros(0, np.int64) if entry is None else entry.arrays["events"]
        return self._wide

    def widen(self, events: Array) -> None:
        """Note which events are alive after some of the cuts on events that come first."""
        self._wide = events

    def widen_from(self, key: Key) -> None:
        """Note where the survivors of all cuts on events that come first would be known."""
        self._wide_key = key

    # values of candidates

    def values(self, node: n.Node) -> tuple[Array, Values] | None:
        """Return the numbers of candidates, which rise, and the node's values on them."""
        entry = self.get(self._values_key(node))
        if entry is None:
            return None
        return entry.arrays["numbers"], Values(entry.arrays["data"], entry.arrays.get("valid"))

    def note_values(self, node: n.Node, numbers: Array, values: Values) -> None:
        """Take up the values of a node, beside those that are known of other candidates.

        Values of another type are not put together: a function's may depend on what it is given.
        """
        key = self._values_key(node)
        known = self.get(key)
        data, valid = values.data, values.valid
        if known is not None and known.arrays["data"].dtype == data.dtype:
            earlier = known.arrays
            new = np.flatnonzero(places(earlier["numbers"], numbers) < 0)
            at = np.searchsorted(earlier["numbers"], numbers.take(new))
            if "valid" in earlier or valid is not None:
                known_valid = _mask(earlier.get("valid"), earlier["data"])
                valid = np.insert(known_valid, at, _mask(valid, data).take(new))
            data = np.insert(earlier["data"], at, data.take(new))
            numbers = np.insert(earlier["numbers"], at, numbers.take(new))
        arrays = {"numbers": numbers, "data": data}
        self.note(key, Entry({}, arrays if valid is None else {**arrays, "valid": valid}))

    def table(self, node: n.Node, root: Candidates) -> Array | None:
        """Return what is known of each candidate: 0 or 1, or how many a link finds; see `sift`.

        A root that has a key keeps its tables in memory: the next cut that is tried starts there.
        """
        key, found = self._values_key(node), self.values(node)
        kept = None if root.key is None or key is None else _key("table", root.key, key)
        known = self.get(kept, lasting=False)
        if known is not None and (found is None or known.facts["of"] == len(found[0])):
            return known.arrays["table"]
        if found is None:
            return None
        table = np.full(len(root), UNKNOWN, np.uint8)
        at = places(root.numbers, found[0])
        there = np.flatnonzero(at >= 0)
        values = found[1].data if isinstance(node, n.Match) else found[1].truth()
        table[at.take(there)] = values.take(there)
        self.note(kept, Entry({"of": len(found[0])}, {"table": table}), lasting=False)
        return table

    def joined(self, root: Candidates) -> Array:
        """Return which candidates are in the event of the one before, kept as tables are."""
        key = None if root.key is None else _key("joined", root.key)
        known = self.get(key, lasting=False)
        if known is not None:
            return known.arrays["joined"]
        joined = ~mask_at(root.first, len(root))
        self.note(key, Entry({}, {"joined": joined}), lasting=False)
        return joined

    def column_values(self, column: n.Column, numbers: Array) -> Values | None:
        """Return a column's values of candidates, if those of all of them are at hand."""
        found = self.get(self._values_key(column), lasting=False)
        if found is None:
            return None
        if found.arrays["numbers"] is numbers:
            return Values(found.arrays["data"])
        at = places(found.arrays["numbers"], numbers)
        return Values(found.arrays["data"].take(at)) if at.min(initial=0) >= 0 else None

    def note_column_values(self, column: n.Column, numbers: Array, data: Array) -> None:
        """Have a column's values of candidates at hand; its lists are what is kept on disk."""
        entry = Entry({}, {"numbers": numbers, "data": data})
        self.note(self._values_key(column), entry, lasting=False)

    def _values_key(self, node: n.Node) -> Key:
        if node not in self._keys:
            try:
                self._keys[node] = joined("values", self._base, self._fingerprint(node)).hex()
            except UnknownIdentityError:
                self._keys[node] = None
        return self._keys[node]

    # survivors

    def trail(self, plan: Plan, steps: Sequence[Step], *, counted: bool) -> list[Key]:
        """Return the keys of the survivors before the first step, and after each.

        Where links were ``counted`` on the way, what is kept is another thing.
        """
        keys: list[Key] = []
        try:
            start = self._fingerprint(plan.selection.candidates)
            marks = f"{plan.is_weighted} {counted}".encode()
            link = joined("survivors", self._base, start, marks)
            keys.append(link.hex())
            for step in steps:
                kind = f"{type(step).__name__} {step.highest if isinstance(step, Best) else ''}"
                link = joined("step", link, kind.encode(), self._fingerprint(step.node))
                keys.append(link.hex())
        except UnknownIdentityError:  # nor any key after this one
            pass
        return keys + [None] * (len(steps) + 1 - len(keys))

    def get(self, key: Key, *, lasting: bool = True) -> Entry | None:
        """Return an entry by its key, from memory only if not ``lasting``."""
        if key is None:
            return None
        return self._new[key][0] if key in self._new else self._cache.get(key, lasting=lasting)

    def note(self, key: Key, entry: Entry, *, lasting: bool = True) -> None:
        """Take up an entry, to be kept in memory only if it is not ``lasting``."""
        if key is not None:
            self._new[key] = entry, lasting


def _key(kind: str, *keys: str) -> str:
    return joined(kind, *map(str.encode, keys)).hex()


def _mask(valid: Array | None, data: Array) -> Array:
    return np.ones(len(data), bool) if valid is None else valid


def is_settled(file: str, version: Version) -> bool:
    """Return whether a file is a local one of that version, and has not changed just now."""
    if access.is_remote(file) or version_of(file) != version:
        return False
    _, *times = version.there
    changed = max(map(int, times)) / 1e9
    return not time.time() - SETTLED_SECONDS < changed


_MATTERS = frozenset({"_cache", "_expr", "_files", "_planning", "_rootio", "engines", "layouts"})


@lru_cache(maxsize=1)
def code_digest() -> bytes:
    """Return the digest of what answers depend on: this package's code, libraries, Python."""
    libraries = [version(name) for name in ("numpy", "correctionlib")]
    digest = sha256(f"{sys.version} {libraries}".encode())
    folder = Path(flavorframe.__file__).parent
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".c", ".h", ".so", ".pyd") and _matters(path.relative_to(folder)):
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(sha256(path.read_bytes()).digest())
    return digest.digest()


def _matters(path: Path) -> bool:
    return path.parts[0] in _MATTERS or len(path.parts) == 1
