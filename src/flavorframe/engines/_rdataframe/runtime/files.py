"""What files hold; one that an XRootD server has is looked at by a child process.

ROOT's wheel brings a client of XRootD of its own, and with the client of the Python package
``xrootd`` in the same process, which is another version, either crashes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flavorframe._files.child_process import ChildEndedError, ChildProcess
from flavorframe._files.remote import xrootd_client
from flavorframe._files.remote.access import is_remote
from flavorframe._files.versions import Version
from flavorframe._planning.friends import PlannedFriend
from flavorframe._rootio.open_files import open_file
from flavorframe.engines._event_files import as_events
from flavorframe.errors import FileError
from flavorframe.layouts import Layout, Schema

T = TypeVar("T")


@dataclass(frozen=True)
class Described:
    """What is known of a file: its tree, layout, branches, number of events, and version.

    ``shorter`` has the number of entries of branches that have fewer.
    """

    tree: str
    layout: Layout
    schema: Schema
    events: int
    version: Version | None
    shorter: Mapping[str, int]


SPECIAL = "*?[]#$"
"""What has a meaning in a path for ROOT, which would silently read other files."""

Friends = tuple[PlannedFriend, ...]
_seen: dict[tuple[str, str | None, Layout | None, Friends], Described] = {}


def describe(file: str, tree: str | None, asked: Layout | None, friends: Friends) -> Described:
    """Look at a file; raises FileError, as the columnar engine does, where it cannot be read."""
    if file.startswith("roots://"):
        raise FileError(
            f"{file}: ROOT does not know roots://. It reads root://, which is encrypted where the "
            "server asks for it; or use engine='columnar'."
        )
    if not file.startswith("root://"):
        if not is_remote(file):
            _require_literal(file)
        return _described(file, tree, asked, friends)
    xrootd_client.claim(xrootd_client.ROOT, file)
    found = look(file, _described, file, tree, asked, friends)
    for name in (tree, found.tree):
        _seen[file, name, asked, friends] = found
    return found


def _require_literal(file: str) -> None:
    found = [character for character in SPECIAL if character in file]
    if found:
        raise FileError(
            f"{file}: ROOT takes {' and '.join(found)} in a path for more than a letter: rename "
            "the file, or use engine='columnar'."
        )


def described(file: str, tree: str | None, asked: Layout | None, friends: Friends) -> Described:
    """Return what is known of a file, which is looked at only if it is on this machine or new."""
    return _seen.get((file, tree, asked, friends)) or describe(file, tree, asked, friends)


def _described(file: str, tree: str | None, asked: Layout | None, friends: Friends) -> Described:
    opened, layout = as_events(open_file(file, tree), asked, friends)
    return Described(
        opened.tree, layout, opened.schema, opened.events, opened.version, opened.shorter
    )


def look(file: str, function: Callable[..., T], *arguments: Any) -> T:
    """Return what a function of a module finds in a file."""
    if not file.startswith("root://"):
        return function(*arguments)
    try:
        with ChildProcess() as child:  # one for each file, so that several are looked at at once
            found: T = child.call(function, *arguments)
    except ChildEndedError as end:
        raise FileError(f"{file}: it cannot be looked at: the process ended with {end}.") from None
    return found
