"""The files that are open: each is opened once, for all partitions and threads."""

from __future__ import annotations

import os
from collections import OrderedDict
from threading import Lock

from flavorframe.engine.columnar.reader import RootFile

MOST = 8
"""How many files stay open."""

Key = tuple[str, str | None, tuple[int, int]]
_open: OrderedDict[Key, RootFile] = OrderedDict()
_lock = Lock()


def open_file(file: str, tree: str | None) -> RootFile:
    """Open a file, or return it as it is open already; a local file that changed is opened anew."""
    version = _version(file)
    with _lock:
        known = _open.get((file, tree, version))
    return known or _remember(RootFile(file, tree), version, tree)


def _remember(opened: RootFile, version: tuple[int, int], tree: str | None) -> RootFile:
    """Keep a file under the tree that was asked for, and the one that was found."""
    with _lock:
        for name in (tree, opened.tree):
            _open[opened.path, name, version] = opened
        while len(_open) > 2 * MOST:
            _open.popitem(last=False)
    return opened


def _version(file: str) -> tuple[int, int]:
    try:
        status = os.stat(file)
    except OSError:  # remote, or missing, as opening it will tell
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)
