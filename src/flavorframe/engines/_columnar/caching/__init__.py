"""The cache around the evaluation: what was read and computed of a partition is not done again.

Each class here wraps one of the plain evaluation, which knows nothing of it:

* `columns` asks for columns that were read before the file is asked,
* `views` keeps the values of columns on candidates, and how many elements links match,
* `survivors` computes expressions only on candidates on which they are not known,
* `runner` starts from the latest checkpoint, and makes the cuts whose values are cached all at
  once, with the help of `tables`.

`partition_cache` has the entries of a partition and the keys of expressions and steps, `keys` what
all keys depend on. `values` are kept by candidate, for the expressions that `cacheable` allows.

An answer is the same bits with the cache and without. To keep another kind of thing, make a key
for it in `partition_cache` of all that the answer depends on.
"""

from flavorframe.engines._columnar.caching.columns import CachedColumns
from flavorframe.engines._columnar.caching.keys import is_stable
from flavorframe.engines._columnar.caching.partition_cache import PartitionCache
from flavorframe.engines._columnar.caching.runner import CachedRunner
from flavorframe.engines._columnar.caching.views import CachedViewMaker

__all__ = ["CachedColumns", "CachedRunner", "CachedViewMaker", "PartitionCache", "is_stable"]
