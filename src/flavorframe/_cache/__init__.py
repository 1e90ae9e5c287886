"""What has been computed before, kept in memory and on disk: see `Cache`."""

from flavorframe._cache.cache import Cache, Caching, Entry, cache_of, caching
from flavorframe._cache.store import Store, default_folder

__all__ = ["Cache", "Caching", "Entry", "Store", "cache_of", "caching", "default_folder"]
