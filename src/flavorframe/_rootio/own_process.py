"""Settings for processes that run flavorframe and nothing else: command line, workers and jobs.

Memory and garbage collection belong to the whole process, so importing flavorframe or opening a
file leaves them alone. A process that is flavorframe's own calls `tune` when it begins.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from flavorframe._rootio import compiled

_is_tuned = False


def tune() -> None:
    """Make this process faster at reading: for processes that are flavorframe's own.

    Freed memory is kept by the C library, and garbage collection pauses while a file is opened.
    """
    global _is_tuned  # noqa: PLW0603 - of the process, as what it stands for
    _is_tuned = True
    if compiled.native is not None:
        compiled.native.keep_freed_memory()


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Pause garbage collection in the block, in a process of flavorframe's own.

    While a file is opened, everything that is made stays; looking through all of it again and again
    takes a sixth of the time.
    """
    if not (_is_tuned and gc.isenabled()):
        yield
        return
    gc.disable()
    try:
        _import_uproot()
        yield
    finally:
        gc.enable()


def _import_uproot() -> None:
    """Import uproot, and count what it is made of as old.

    Otherwise the next two collections look through all of it, for a quarter of its import's time.
    """
    if "uproot" not in sys.modules:
        import uproot  # noqa: F401

        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
