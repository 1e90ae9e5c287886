"""The cache around the evaluation: nothing is read or computed twice for the same partition.

Each class here extends one of the plain evaluation, which knows nothing of the cache:

* `columns` takes columns from the cache, and reads only the others from the file,
* `views` keeps the values of columns on candidates, and how many elements links match,
* `survivors` computes expressions only on candidates on which they are not known,
* `runner` starts from the latest checkpoint, and makes the cuts whose values are cached all at
  once, with the help of `tables`.

`partition_cache` has the entries of a partition and the keys of expressions and steps, `keys` what
all keys depend on. `values` are kept by candidate, for the expressions that `cacheable` allows.

Results are the same bits with the cache and without. To keep another kind of thing, make a key
for it in `partition_cache`, of all that it depends on.
"""

from flavorframe.engines._columnar.caching.columns import CachedColumns
from flavorframe.engines._columnar.caching.keys import is_stable
from flavorframe.engines._columnar.caching.partition_cache import PartitionCache
from flavorframe.engines._columnar.caching.runner import CachedRunner
from flavorframe.engines._columnar.caching.views import CachedViewMaker

__all__ = ["CachedColumns", "CachedRunner", "CachedViewMaker", "PartitionCache", "is_stable"]
