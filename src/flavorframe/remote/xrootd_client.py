"""Which client of XRootD a process has: with two of different versions it crashes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from flavorframe.errors import RunError

PYTHON, ROOT = "the Python package xrootd", "ROOT"

_claimed: list[str] = []


def claim(client: str, url: str) -> None:
    """Note that this process reads by a client; raises RunError where it has the other already.

    Where ROOT brings no client of its own, as in conda's packages, both are the same.
    """
    if not _claimed:
        _claimed.append(client)
    if _claimed[0] != client and root_brings_one():
        raise RunError(
            f"{url}: this process has read from an XRootD server through {_claimed[0]}, and cannot "
            f"through {client} as well, whose client is another version: run the engines "
            "'columnar' and 'rdataframe' on such files in processes of their own."
        )


def root_brings_one() -> bool:
    """Return whether ROOT is here with a client of its own, as in its wheel."""
    found = importlib.util.find_spec("ROOT")
    folders = found.submodule_search_locations if found else None
    return any(any((Path(f) / "lib").glob("libXrdCl.so*")) for f in folders or ())
