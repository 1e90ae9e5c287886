"""Engines: what evaluates a plan on a partition.

* `protocol` says what an engine must be able to do,
* `partial` has what it returns,
* `registry` gives the engines by name.

The columnar engine (``_columnar``) and ROOT's RDataFrame (``_rdataframe``) share how results begin
(``_filling``), sums without rounding (``_exact``, ``_weighted``), what is noted of all events
(``_tallies``), and what files tell of generated ones (``_generated``). They do not know each other.
"""

from flavorframe.engines.partial import Chunk, Partial
from flavorframe.engines.protocol import Engine, FileInfo, FilesEngine, TellingEngine
from flavorframe.engines.registry import ENGINES, get_engine, travelling

__all__ = [
    "ENGINES",
    "Chunk",
    "Engine",
    "FileInfo",
    "FilesEngine",
    "Partial",
    "TellingEngine",
    "get_engine",
    "travelling",
]
