"""The entries of one partition in the cache, old and new, and their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flavorframe._cache import Cache, Entry
from flavorframe._expr import nodes as n
from flavorframe._expr.identity.fingerprints import (
    UnknownIdentityError,
    fingerprint,
    is_lasting,
    joined,
)
from flavorframe._files.versions import Version
from flavorframe._planning.chains import Chain
from flavorframe._planning.friends import PlannedFriend
from flavorframe.datasets import Partition
from flavorframe.engines._columnar.caching import keys
from flavorframe.engines._columnar.caching.keys import Key
from flavorframe.layouts import Layout
from flavorframe.selection import Best, Step, Weight


class PartitionCache:
    """Entries of a partition by key. New ones go to the cache at the end, by `save`.

    Keys are made of the version of the file, the range of events, the code of this package, and
    the expressions: all that the entry depends on. For what is more than a column it matters which
    lists the layout puts into one collection as well.
    """

    def __init__(
        self,
        cache: Cache,
        partition: Partition,
        version: Version,
        layout: Layout,
        friends: Sequence[PlannedFriend] = (),
    ) -> None:
        """``version`` is that of the file when it was opened; ``friends`` lie beside it."""
        self._cache, self._file, self._version = cache, partition.file, version
        of = (version.content, version.there)  # on whichever machine
        place = (partition.file, partition.tree, partition.start, partition.stop, of)
        self._base = joined(
            "partition", keys.code_digest(), repr((place, layout.rows, friends)).encode()
        )
        self._computed = joined("layout", self._base, layout.digest.encode())
        self._new: dict[str, tuple[Entry, bool]] = {}
        self._read: set[str] = set()
        self._values_keys: dict[n.Node, Key] = {}
        self._fingerprints: dict[Any, bytes] = {}

    def get(self, key: Key, *, on_disk: bool = True) -> Entry | None:
        """Return an entry by its key, from memory only if not ``on_disk``."""
        if key is None:
            return None
        return self._new[key][0] if key in self._new else self._cache.get(key, on_disk=on_disk)

    def put(self, key: Key, entry: Entry, *, on_disk: bool = True) -> None:
        """Take up a new entry, to be kept in memory only if not ``on_disk``."""
        if key is not None:
            self._new[key] = entry, on_disk

    def put_read(self, key: str, entry: Entry) -> None:
        """Take up a new entry that was read from the file, and depends on no function."""
        self._read.add(key)
        self.put(key, entry)

    def save(self) -> None:
        """Keep what is new, unless the file has changed meanwhile.

        What was computed is kept only if the user's functions are what they were when it began.
        """
        if self._new and keys.is_stable(self._file, self._version):
            same = self._are_functions_the_same()
            for key, (entry, on_disk) in self._new.items():
                if same or key in self._read:
                    self._cache.put(key, entry, on_disk=on_disk)
        self._new = {}

    def _are_functions_the_same(self) -> bool:
        try:
            return all(fingerprint(each) == then for each, then in self._fingerprints.items())
        except UnknownIdentityError:
            return False

    # keys

    def column_key(self, branch: str) -> str:
        """Return the key of what was read of a branch."""
        return joined("column", self._base, branch.encode()).hex()

    def values_key(self, node: n.Node) -> Key:
        """Return the key of the values of a node on candidates."""
        if node not in self._values_keys:
            try:
                key = joined("values", self._computed, self._fingerprint(node)).hex()
            except UnknownIdentityError:
                self._values_keys[node] = None
            else:
                self._values_keys[node] = key
        return self._values_keys[node]

    def checkpoint_keys(self, chain: Chain) -> list[Key]:
        """Return the keys of the survivors before the first step of a chain, and after each.

        Each is made of the one before and the step. Where links were ``counted`` on the way, what
        is kept is another thing.
        """
        found: list[Key] = []
        try:
            start = [self._fingerprint(chain.candidates)]
            if chain.category is not None:
                start.append(self._fingerprint(chain.category))
            marks = f"{chain.is_weighted} {chain.is_main}".encode()
            digest = joined("survivors", self._computed, *start, marks)
            found.append(digest.hex())
            for step in chain.steps:
                digest = joined("step", digest, *self._step(step))
                found.append(digest.hex())
        except UnknownIdentityError:  # nor has any later step a key
            pass
        return found + [None] * (len(chain.steps) + 1 - len(found))

    def _step(self, step: Step) -> Iterator[bytes]:
        yield f"{type(step).__name__} {step.highest if isinstance(step, Best) else ''}".encode()
        yield self._fingerprint(step.node)
        for variation, node in step.varied if isinstance(step, Weight) else ():
            yield variation.label.encode()
            yield self._fingerprint(node)

    def _fingerprint(self, value: n.Node | n.Axis) -> bytes:
        """Return a fingerprint, and note what may have another when all is computed."""
        found = fingerprint(value)
        if not is_lasting(value):
            self._fingerprints[value] = found
        return found
