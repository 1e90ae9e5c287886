"""uproot's models of ROOT's classes, kept as they were when the first file was opened.

Where a damaged file names a version of a class that nobody knows, uproot makes a model from the
file's own description, and keeps it for all files, in the place of the one that it had.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def kept_models() -> Iterator[None]:
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
