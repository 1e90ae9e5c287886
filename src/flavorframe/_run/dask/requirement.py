"""Dask is an optional package: the error where a run needs it and it is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from flavorframe.errors import RunError


def require_dask() -> None:
    """Raise RunError where Dask is not installed."""
    if any(find_spec(package) is None for package in ("dask", "distributed")):
        raise RunError("a run on Dask needs distributed: run pip install 'flavorframe[dask]'.")
