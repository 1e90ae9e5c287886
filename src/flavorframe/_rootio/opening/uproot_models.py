"""Protect uproot's models of ROOT's classes from damaged files.

Where a damaged file names a version of a class that uproot does not know, uproot makes a model from
the file's own description, and uses it for all files from then on, instead of the one it had.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def models_restored() -> Iterator[None]:
    """Put uproot's own models back after the block."""
    models = _models()
    try:
        yield
    finally:
        for versions, original in models:
            versions.update(original)


@cache
def _models() -> tuple[tuple[dict[int, Any], dict[int, Any]], ...]:
    import uproot

    classes = list(uproot.classes.values())
    versions = [c.known_versions for c in classes if hasattr(c, "known_versions")]
    return tuple((known, dict(known)) for known in versions)
