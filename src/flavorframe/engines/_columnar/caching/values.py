"""Values on candidates, of expressions that were computed and columns that were read before.

Candidates are known by their numbers, which are sorted. Values of other candidates are put beside
those that are kept already.
"""

from __future__ import annotations

import numpy as np

from flavorframe._cache import Entry
from flavorframe._expr import nodes as n
from flavorframe._rootio.arrays import Array
from flavorframe.engines._columnar.caching.partition_cache import PartitionCache
from flavorframe.engines._columnar.segments import find_sorted
from flavorframe.engines._columnar.values import Values


def cached_values(cache: PartitionCache, node: n.Node) -> tuple[Array, Values] | None:
    """Return the numbers of candidates, and the node's values on them."""
    entry = cache.get(cache.values_key(node))
    if entry is None:
        return None
    return entry.arrays["numbers"], Values(entry.arrays["data"], entry.arrays.get("valid"))


def keep_values(cache: PartitionCache, node: n.Node, numbers: Array, values: Values) -> None:
    """Keep the values of a node on some candidates.

    Values of another type are not put beside those that are kept, but replace them: the type of a
    function's values may depend on what it is given.
    """
    key = cache.values_key(node)
    kept = cache.get(key)
    data, valid = values.array, values.valid
    if kept is not None and kept.arrays["data"].dtype == data.dtype:
        earlier = kept.arrays
        new = np.flatnonzero(find_sorted(earlier["numbers"], numbers) < 0)
        at = np.searchsorted(earlier["numbers"], numbers.take(new))
        if "valid" in earlier or valid is not None:
            earlier_valid = _mask(earlier.get("valid"), earlier["data"])
            valid = np.insert(earlier_valid, at, _mask(valid, data).take(new))
        data = np.insert(earlier["data"], at, data.take(new))
        numbers = np.insert(earlier["numbers"], at, numbers.take(new))
    arrays = {"numbers": numbers, "data": data}
    cache.put(key, Entry({}, arrays if valid is None else {**arrays, "valid": valid}))


def cached_column(cache: PartitionCache, column: n.Column, numbers: Array) -> Values | None:
    """Return a column's values on candidates, if those of all of them are in memory."""
    found = cache.get(cache.values_key(column), on_disk=False)
    if found is None:
        return None
    if found.arrays["numbers"] is numbers:
        return Values(found.arrays["data"])
    at = find_sorted(found.arrays["numbers"], numbers)
    return Values(found.arrays["data"].take(at)) if at.min(initial=0) >= 0 else None


def keep_column(cache: PartitionCache, column: n.Column, numbers: Array, data: Array) -> None:
    """Keep a column's values on candidates in memory; on disk are the lists of all events."""
    entry = Entry({}, {"numbers": numbers, "data": data})
    cache.put(cache.values_key(column), entry, on_disk=False)


def _mask(valid: Array | None, data: Array) -> Array:
    return np.ones(len(data), bool) if valid is None else valid
