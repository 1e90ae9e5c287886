"""The files that are open: each is opened once, for all partitions and threads."""

from __future__ import annotations

import gc
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from weakref import WeakSet

from flavorframe._files.remote import access
from flavorframe._files.versions import Version, require, version_of
from flavorframe._rootio.reader import RootFile

MOST = 64
"""How many files stay open, at about 1 MB each: to open one anew takes 20 ms."""

Key = tuple[str, str | None, Version | None]
_open: OrderedDict[Key, RootFile] = OrderedDict()
_living: WeakSet[RootFile] = WeakSet()
_lock = Lock()


def open_file(file: str, tree: str | None, wanted: Version | None = None) -> RootFile:
    """Open a file, or return it as it is open already; one that changed is opened anew.

    Raises FileChangedError where it is not of the version that is ``wanted``, if one is. A server
    is not asked for it where a file of that version is open: who reads asks afterwards.
    """
    known = _find(file, tree, wanted) if wanted is not None and access.is_remote(file) else None
    if known is None:
        version = version_of(file)
        if wanted is not None:
            require(file, wanted, version or wanted)  # opening tells what is not there
        known = _find(file, tree, version)
    if known is None:
        with _no_search_for_garbage():
            _import_uproot()
            _let_go_of_others(file, version)
            known = _remember(RootFile(file, tree), version, tree)
    return known


def _find(file: str, tree: str | None, version: Version | None) -> RootFile | None:
    with _lock:
        return _open.get((file, tree, version))


def forget(opened: RootFile) -> None:
    """Have a file on a server opened anew next time: a connection that failed once may be dead."""
    if access.is_remote(opened.path):
        with _lock:
            for key in [key for key, file in _open.items() if file is opened]:
                del _open[key]


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


def _remember(opened: RootFile, version: Version | None, tree: str | None) -> RootFile:
    """Keep a file under the tree that was asked for, and the one that was found."""
    opened.version = version
    with _lock:
        _living.add(opened)
        for name in (tree, opened.tree):
            _open[opened.path, name, version] = opened
        while len(_open) > 2 * MOST:
            _open.popitem(last=False)
    return opened


def _let_go_of_others(file: str, version: Version | None) -> None:
    """Close what is open of a file on a server in other versions.

    While an XRootD server has a file open, it gives that to whoever opens one of its name.
    """
    with _lock:
        others = [opened for opened in _living if _is_another(opened, file, version)]
        for key in [key for key, opened in _open.items() if opened in others]:
            del _open[key]
    for opened in others:
        opened.close()


def _is_another(opened: RootFile, file: str, version: Version | None) -> bool:
    if opened.path != file or not access.is_remote(file):
        return False
    return not (version and opened.version and version.is_same(opened.version))
