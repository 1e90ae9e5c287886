"""The client of XRootD that a process has: with two of different versions it crashes."""

from __future__ import annotations

import importlib.util
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flavorframe.errors import RunError

PYTHON, ROOT = "the Python package xrootd", "ROOT"

_PASSES_ON = 0x80 | 0x200
"""What is set of servers that are caches or proxies (kXR_attrCache, kXR_attrProxy)."""

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


def is_of_root() -> bool:
    """Whether this process reads by a client that ROOT has brought."""
    return _claimed == [ROOT] and root_brings_one()


@dataclass(frozen=True)
class Stat:
    """What a server tells of a file; nothing but its size where that passes on what others have."""

    server: str
    size: int
    of_server: tuple[int, str] | None

    @property
    def changed(self) -> int:
        """When the file was written, in seconds; 0 where that is unknown."""
        return self.of_server[0] if self.of_server else 0


def stat(url: str, patience: int) -> Stat:
    """Return what the server tells of a file that keeps it; raises OSError."""
    from XRootD import client

    address = client.URL(url)
    filesystem = client.FileSystem(f"{address.protocol}://{address.hostid}")
    answer: Future[tuple[Any, Any, Any]] = Future()
    asked = filesystem.stat(
        address.path_with_params, patience, callback=lambda *told: answer.set_result(told)
    )
    if not asked.ok:
        raise OSError(asked.message)
    status, info, servers = answer.result()
    if not status.ok:
        raise OSError(status.message)
    last = servers.hosts[-1]  # that it was sent on to
    is_known = not last.flags & _PASSES_ON
    of_server = (int(info.modtime), str(info.id)) if is_known else None
    return Stat(server_name(last.url.hostid), int(info.size), of_server)


def server_name(host: str) -> str:
    """Return a server as all connections with it name it: without a user.

    >>> server_name("token1@eos.cern.ch:1094")
    'eos.cern.ch:1094'
    """
    return host.rpartition("@")[2]


def root_brings_one() -> bool:
    """Return whether ROOT is here with a client of its own, as in its wheel."""
    found = importlib.util.find_spec("ROOT")
    folders = found.submodule_search_locations if found else None
    return any(any((Path(f) / "lib").glob("libXrdCl.so*")) for f in folders or ())
