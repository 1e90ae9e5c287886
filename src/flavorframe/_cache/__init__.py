"""Results of earlier reading and computing, in memory and on disk.

* `cache` keeps entries, which are arrays by name, under keys: in memory, then on disk,
* `store` is the folder on disk, which is bounded in size and shared by processes,
* `own_files` are the user's own files in a folder that other users may write to.

What the keys are made of is up to who asks: for the columnar engine, see its ``caching``.
"""

from flavorframe._cache.cache import Cache, Caching, Entry, cache_of, caching
from flavorframe._cache.store import Store, default_folder

__all__ = ["Cache", "Caching", "Entry", "Store", "cache_of", "caching", "default_folder"]
