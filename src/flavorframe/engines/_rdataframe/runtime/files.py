"""What files hold; one that an XRootD server has is looked at by another process.

ROOT's wheel brings a client of XRootD of its own, and with the client of the Python package
``xrootd`` in the same process, which is another version, either crashes.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from flavorframe._files.remote import xrootd_client
from flavorframe._files.remote.access import is_remote
from flavorframe._files.versions import Version
from flavorframe._rootio.open_files import open_file
from flavorframe.errors import FileError, FlavorframeError
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


MEANT = "*?[]#$"
"""What has a meaning in a path for ROOT: it would take other files, without a word."""

_seen: dict[tuple[str, str | None], Described] = {}


def describe(file: str, tree: str | None) -> Described:
    """Look at a file; raises FileError, as the columnar engine does, where it cannot be read."""
    if not file.startswith("root://"):
        if not is_remote(file):
            _require_literal(file)
        return _described(file, tree)
    xrootd_client.claim(xrootd_client.ROOT, file)
    found = _described_apart(file, tree)
    for name in (tree, found.tree):
        _seen[file, name] = found
    return found


def _require_literal(file: str) -> None:
    found = [character for character in MEANT if character in file]
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


def _described_apart(file: str, tree: str | None) -> Described:
    code = f"from {__name__} import tell; tell()"
    command = [sys.executable, "-c", code, file, *([tree] if tree else [])]
    ended = subprocess.run(command, capture_output=True, check=False)
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        raise FileError(f"{file}: it cannot be looked at: {(said or ['no reason given'])[-1]}")
    found = pickle.loads(ended.stdout)
    if isinstance(found, FlavorframeError):
        raise found
    assert isinstance(found, Described)
    return found


def tell() -> None:
    """Write what a file is to the standard output; in a process of its own."""
    found: Described | FlavorframeError
    try:
        found = _described(sys.argv[1], (*sys.argv[2:], None)[0])
    except FlavorframeError as error:
        found = error
    sys.stdout.buffer.write(pickle.dumps(found))
