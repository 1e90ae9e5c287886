"""Dask is an optional package: what to say where it is asked for and not installed."""

from __future__ import annotations

from importlib.util import find_spec

from flavorframe.errors import RunError


def require_dask() -> None:
    """Raise RunError where Dask is not installed."""
    if not _is_installed("dask") or not _is_installed("distributed"):
        raise RunError("a run on Dask needs distributed: run pip install 'flavorframe[dask]'.")


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # of a package that is blocked, which has no spec
        return False
