"""Make all cuts whose values are cached at once, without computing any expression.

A table has a byte for each candidate that was alive at the last checkpoint: whether it passes a
cut, or how many elements a link finds for it. The compiled part looks up one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from flavorframe._cache import Entry
from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array
from flavorframe.engines._columnar.caching.cacheable import links_in
from flavorframe.engines._columnar.caching.keys import Key, digest_key
from flavorframe.engines._columnar.caching.partition_cache import PartitionCache
from flavorframe.engines._columnar.caching.values import cached_values
from flavorframe.engines._columnar.candidates import Candidates
from flavorframe.engines._columnar.runner import Counts
from flavorframe.engines._columnar.segments import UNKNOWN, apply_tables, find_sorted, mask_at
from flavorframe.engines._columnar.survivors import Survivors


class CheckpointCandidates(Candidates):
    """The candidates of a checkpoint; its ``key`` is also a part of the keys of their tables."""

    def __init__(self, numbers: Array, key: str | None) -> None:
        super().__init__(numbers)
        self.key = key


def apply_cached_cuts(
    survivors: Survivors, cuts: Sequence[n.Node], cache: PartitionCache
) -> list[Counts]:
    """Make cuts up to the first whose values are not cached for every living candidate.

    Returns the rows of the cutflow, one for each of them.
    """
    candidates = survivors.state.candidates
    lookups = _lookups(survivors, cuts, candidates.origin, cache)
    if not lookups:
        return []
    origin, positions, rows = candidates.origin, candidates.positions, list[Counts]()
    alive = np.ones(len(origin), bool) if positions is None else mask_at(positions, len(origin))
    cutting = [lookup.link is None for lookup in lookups]
    left, found = apply_tables(
        [lookup.table for lookup in lookups], cutting, _in_same_event(origin, cache), alive
    )
    counts: dict[str, tuple[int, int, int]] = {}
    for lookup, (none, one, several, events) in zip(lookups, found.tolist(), strict=False):
        if lookup.link is not None:  # counted only if the cut that needs it is made
            counts[lookup.link] = (none + one + several, none, several)
            continue
        rows.append(Counts(events, one))
        if survivors.links is not None:
            survivors.links.counts.update(counts)
        counts = {}
    if rows:
        survivors.keep_of_origin(np.flatnonzero(left))
    return rows


class _Lookup(NamedTuple):
    """The table of a cut, or of a link that is to be counted before it."""

    table: Array
    link: str | None = None


def _lookups(
    survivors: Survivors, cuts: Sequence[n.Node], origin: Candidates, cache: PartitionCache
) -> list[_Lookup]:
    """Return the tables of cuts, up to the first cut without a table."""
    lookups = list[_Lookup]()
    counted = set() if survivors.links is None else set(survivors.links.counts)
    for cut in cuts:
        asked = dict(() if survivors.links is None else links_in(cut))
        new = [name for name in asked if name not in counted]
        tables = [_table(each, origin, cache) for each in (*map(asked.__getitem__, new), cut)]
        found = [table for table in tables if table is not None]
        if len(found) < len(tables):
            break
        lookups += map(_Lookup, found, (*new, None))
        counted.update(new)
    return lookups


def _table(node: n.Node, origin: Candidates, cache: PartitionCache) -> Array | None:
    """Return 0 or 1 for each candidate by a cut, or how many elements a link finds.

    Tables of a checkpoint are kept in memory: the next cut that is tried starts there, too.
    """
    key, found = cache.values_key(node), cached_values(cache, node)
    table_key = _key_at(origin, "table", key)
    kept = cache.get(table_key, on_disk=False)
    if kept is not None and (found is None or kept.facts["of"] == len(found[0])):
        return kept.arrays["table"]
    if found is None:
        return None
    table = np.full(len(origin), UNKNOWN, np.uint8)
    at = find_sorted(origin.numbers, found[0])
    there = np.flatnonzero(at >= 0)
    values = found[1].array if isinstance(node, n.Match) else found[1].truth()
    table[at.take(there)] = values.take(there)
    cache.put(table_key, Entry({"of": len(found[0])}, {"table": table}), on_disk=False)
    return table


def _in_same_event(origin: Candidates, cache: PartitionCache) -> Array:
    """Return which candidates are in the event of the one before, kept as tables are."""
    key = _key_at(origin, "joined")
    kept = cache.get(key, on_disk=False)
    if kept is not None:
        return kept.arrays["same_event"]
    same_event = ~mask_at(origin.first, len(origin))
    cache.put(key, Entry({}, {"same_event": same_event}), on_disk=False)
    return same_event


def _key_at(origin: Candidates, kind: str, *keys: Key) -> Key:
    """Return the key of what is kept for the candidates of a checkpoint; None for any other."""
    known = [origin.key if isinstance(origin, CheckpointCandidates) else None, *keys]
    found = [key for key in known if key is not None]
    return digest_key(kind, *found) if len(found) == len(known) else None
