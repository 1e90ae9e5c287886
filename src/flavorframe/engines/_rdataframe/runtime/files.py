"""What files hold; one that an XRootD server has is looked at by a child process.

ROOT's wheel brings a client of XRootD of its own, and with the client of the Python package
``xrootd`` in the same process, which is another version, either crashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flavorframe._files.child_process import ChildEndedError, ChildProcess
from flavorframe._files.remote import xrootd_client
from flavorframe._files.remote.access import is_remote
from flavorframe._files.versions import Version
from flavorframe._rootio.open_files import open_file
from flavorframe.errors import FileError
from flavorframe.layouts import Schema


@dataclass(frozen=True)
class Described:
    """The name of the tree of a file, its branches, how many events it has, and its version.

    ``shorter`` has the number of entries of branches that have fewer.
    """

    tree: str
    schema: Schema
    events: int
    version: Version | None
    shorter: Mapping[str, int]


SPECIAL = "*?[]#$"
"""What has a meaning in a path for ROOT, which would silently read other files."""

_seen: dict[tuple[str, str | None], Described] = {}


def describe(file: str, tree: str | None) -> Described:
    """Look at a file; raises FileError, as the columnar engine does, where it cannot be read."""
    if file.startswith("roots://"):
        raise FileError(
            f"{file}: ROOT does not know roots://. It reads root://, which is encrypted where the "
            "server asks for it; or use engine='columnar'."
        )
    if not file.startswith("root://"):
        if not is_remote(file):
            _require_literal(file)
        return _described(file, tree)
    xrootd_client.claim(xrootd_client.ROOT, file)
    found = _described_by_child(file, tree)
    for name in (tree, found.tree):
        _seen[file, name] = found
    return found


def _require_literal(file: str) -> None:
    found = [character for character in SPECIAL if character in file]
    if found:
        raise FileError(
            f"{file}: ROOT takes {' and '.join(found)} in a path for more than a letter: rename "
            "the file, or use engine='columnar'."
        )


def described(file: str, tree: str | None) -> Described:
    """Return what is known of a file, which is looked at only if it is on this machine or new."""
    return _seen.get((file, tree)) or describe(file, tree)


def _described(file: str, tree: str | None) -> Described:
    opened = open_file(file, tree)
    return Described(opened.tree, opened.schema, opened.events, opened.version, opened.shorter)


def _described_by_child(file: str, tree: str | None) -> Described:
    try:
        with ChildProcess() as child:  # one for each file, so that several are looked at at once
            found: Described = child.call(_described, file, tree)
    except ChildEndedError as end:
        raise FileError(f"{file}: it cannot be looked at: the process ended with {end}.") from None
    return found
