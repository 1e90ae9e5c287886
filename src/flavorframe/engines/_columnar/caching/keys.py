"""What the key of every entry in the cache contains: the package's code, and the file's version.

A key is a digest of everything that the entry depends on. If any of it changes there is another
key, so an entry is never out of date.
"""

from __future__ import annotations

import sys
import time
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import flavorframe
from flavorframe._expr.identity.fingerprints import joined
from flavorframe._files.remote import access
from flavorframe._files.versions import Version, version_of
from flavorframe._shipping.user_code import version_of_package

STABLE_SECONDS = 2.0
"""A file that changed less than this ago could change again without a new modification time."""

Key = str | None
"""None if the identity of something is unknown: then nothing is looked up, and nothing kept."""

CODE = frozenset(
    [
        "_cache",
        "_expr",
        "_files",
        "_models",
        "_planning",
        "_rootio",
        "_shipping",
        "datasets",
        "engines",
        "layouts",
    ]
)
"""Packages of whose code entries depend, beside the modules that are in none."""


def digest_key(kind: str, *keys: str) -> str:
    """Return a key that is made of other keys."""
    return joined(kind, *map(str.encode, keys)).hex()


def is_stable(file: str, version: Version) -> bool:
    """Return whether a file is a local one of that version, and has not changed just now."""
    if access.is_remote(file) or version_of(file) != version:
        return False
    _, *times = version.there
    changed = max(map(int, times)) / 1e9
    return not time.time() - STABLE_SECONDS < changed


@lru_cache(maxsize=1)
def code_digest() -> bytes:
    """Return the digest of what all entries depend on: this package's code, libraries, Python."""
    libraries = [version_of_package(name) for name in ("numpy", "correctionlib")]
    digest = sha256(f"{sys.version} {libraries}".encode())
    folder = Path(flavorframe.__file__).parent
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".c", ".h", ".so", ".pyd") and _matters(path.relative_to(folder)):
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(sha256(path.read_bytes()).digest())
    return digest.digest()


def _matters(path: Path) -> bool:
    return path.parts[0] in CODE or len(path.parts) == 1
