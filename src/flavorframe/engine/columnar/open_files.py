"""The files that are open: each is opened once, for all partitions and threads."""

from __future__ import annotations

import os
from collections import OrderedDict
from threading import Lock

from flavorframe.engine.columnar.reader import RootFile
from flavorframe.remote import access

MOST = 8
"""How many files stay open."""

Version = tuple[str, ...]
Key = tuple[str, str | None, Version]
_open: OrderedDict[Key, RootFile] = OrderedDict()
_lock = Lock()


def open_file(file: str, tree: str | None) -> RootFile:
    """Open a file, or return it as it is open already; one that changed is opened anew."""
    version = _version(file)
    with _lock:
        known = _open.get((file, tree, version))
    return known or _remember(RootFile(file, tree), version, tree)


def _remember(opened: RootFile, version: Version, tree: str | None) -> RootFile:
    """Keep a file under the tree that was asked for, and the one that was found."""
    with _lock:
        for name in (tree, opened.tree):
            _open[opened.path, name, version] = opened
        while len(_open) > 2 * MOST:
            _open.popitem(last=False)
    return opened


def _version(file: str) -> Version:
    if access.is_remote(file):
        return access.version(file)
    try:
        status = os.stat(file)
    except OSError:  # as opening it will tell
        return ()
    return (str(status.st_mtime_ns), str(status.st_size))
