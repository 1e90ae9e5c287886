"""The engines by name. A new one is a folder here, and its name and a line in `get_engine`."""

from __future__ import annotations

import os

from flavorframe.engines.protocol import Engine
from flavorframe.errors import AnalysisError, did_you_mean

ENGINES = ("columnar", "rdataframe")
"""The names of the engines that come with the package."""


def get_engine(name: str | Engine, cache: bool | str | os.PathLike[str] | None = False) -> Engine:
    """Return the engine of a name.

    Args:
        name: One of `ENGINES`. An engine of the user's own is returned as it is.
        cache: Where the columnar engine keeps results; see `flavorframe.Analysis.run`.

    Raises:
        AnalysisError: Where there is no engine of that name, or ``cache`` has no meaning.

    Example:
        >>> get_engine("columnar").name
        'columnar'
    """
    if not isinstance(name, str):
        return name
    if name not in ENGINES:
        raise AnalysisError(
            f"There is no engine {name!r}.{did_you_mean(name, ENGINES)} It is one of "
            f"{', '.join(ENGINES)}."
        )
    if name == "rdataframe":
        from flavorframe.engines._rdataframe.engine import RDataFrameEngine
        from flavorframe.engines._rdataframe.runtime.root import require_root

        require_root()
        return RDataFrameEngine()
    from flavorframe._cache import caching
    from flavorframe.engines._columnar.engine import ColumnarEngine

    return ColumnarEngine(caching(cache))


def travelling(engine: Engine) -> str | Engine:
    """Return what another process gets the engine by: its name, or itself if it is a user's own."""
    return engine.name if engine.name in ENGINES else engine
