"""The files that are open: each is opened once, for all partitions and threads."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from weakref import WeakSet

from flavorframe._files.remote import access
from flavorframe._files.versions import Version, require, version_of
from flavorframe._rootio import own_process
from flavorframe._rootio.root_file import RootFile

MAX_OPEN = 64
"""How many files stay open, at about 1 MB each; to open one again takes 20 ms."""

Key = tuple[str, str | None, Version | None]
_open: OrderedDict[Key, RootFile] = OrderedDict()
_all: WeakSet[RootFile] = WeakSet()
_lock = Lock()


def open_file(file: str, tree: str | None, wanted: Version | None = None) -> RootFile:
    """Open a file, or return it if it is open already; one that has changed is opened again.

    Raises FileChangedError where it is not of the version that is ``wanted``, if one is. Where a
    file of that version is open, its server is not asked here: the version is compared again after
    reading.
    """
    known = _find(file, tree, wanted) if wanted is not None and access.is_remote(file) else None
    if known is None:
        version = version_of(file)
        if wanted is not None:
            require(file, wanted, version or wanted)  # opening tells what is not there
        known = _find(file, tree, version)
    if known is None:
        with own_process.no_garbage_collection():
            _close_other_versions(file, version)
            known = _remember(RootFile(file, tree), version, tree)
    return known


def _find(file: str, tree: str | None, version: Version | None) -> RootFile | None:
    with _lock:
        return _open.get((file, tree, version))


def forget(opened: RootFile) -> None:
    """Open a file on a server again next time: a connection that failed once may be dead."""
    if access.is_remote(opened.path):
        with _lock:
            for key in [key for key, file in _open.items() if file is opened]:
                del _open[key]


def _remember(opened: RootFile, version: Version | None, tree: str | None) -> RootFile:
    """Keep a file under the tree that was asked for, and the one that was found."""
    opened.version = version
    with _lock:
        _all.add(opened)
        for name in (tree, opened.tree):
            _open[opened.path, name, version] = opened
        while len(_open) > 2 * MAX_OPEN:
            _open.popitem(last=False)
    return opened


def _close_other_versions(file: str, version: Version | None) -> None:
    """Close other versions of a file on a server.

    While an XRootD server has a file open, it returns that one to all who open its name.
    """
    with _lock:
        others = [opened for opened in _all if _is_another(opened, file, version)]
        for key in [key for key, opened in _open.items() if opened in others]:
            del _open[key]
    for opened in others:
        opened.close()


def _is_another(opened: RootFile, file: str, version: Version | None) -> bool:
    if opened.path != file or not access.is_remote(file):
        return False
    return not (version and opened.version and version.is_same(opened.version))
