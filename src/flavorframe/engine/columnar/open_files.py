"""The files that are open: each is opened once, for all partitions and threads."""

from __future__ import annotations

import gc
import os
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from flavorframe.engine.columnar.reader import RootFile
from flavorframe.remote import access

MOST = 64
"""How many files stay open, at about 1 MB each: to open one anew takes 20 ms."""

Version = tuple[int | str, ...]
Key = tuple[str, str | None, Version]
_open: OrderedDict[Key, RootFile] = OrderedDict()
_lock = Lock()


def open_file(file: str, tree: str | None) -> RootFile:
    """Open a file, or return it as it is open already; one that changed is opened anew."""
    version = version_of(file)
    with _lock:
        known = _open.get((file, tree, version))
    if known is None:
        with _no_search_for_garbage():
            _import_uproot()
            known = _remember(RootFile(file, tree), version, tree)
    return known


def _import_uproot() -> None:
    """Import uproot, and have Python's garbage collector take what it is made of for old.

    Otherwise the next two searches look through all of it, for as long as a quarter of its import.
    What is garbage among the old is found as ever.
    """
    if "uproot" not in sys.modules:
        import uproot  # noqa: F401

        if not gc.get_freeze_count():  # of nobody else
            gc.freeze()
            gc.unfreeze()


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """Leave Python's garbage collector out: of what opening a file makes, all is kept.

    It would look through everything again and again, in a sixth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _remember(opened: RootFile, version: Version, tree: str | None) -> RootFile:
    """Keep a file under the tree that was asked for, and the one that was found."""
    opened.version = version
    with _lock:
        for name in (tree, opened.tree):
            _open[opened.path, name, version] = opened
        while len(_open) > 2 * MOST:
            _open.popitem(last=False)
    return opened


def version_of(file: str) -> Version:
    """Return what changes with a file, as far as that is known; nothing for one that is missing.

    The time at which a local file's status changed is the system's own: no program can set it back.
    """
    if access.is_remote(file):
        return access.version(file)
    try:
        status = os.stat(file)
    except OSError:  # as opening it will tell
        return ()
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (status.st_dev, status.st_ino, status.st_size, *times)
