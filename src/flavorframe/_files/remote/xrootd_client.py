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

_NO_FOLDER = ("[3011]", "not a directory")
"""What servers say where there is nothing, or a file."""
_BY_NAME = 0x100
"""Asks for the names of servers, not their numbers (kXR_prefname): certificates have names."""
_PARTIAL = 3
"""The code of answers that are not whole (suPartial)."""

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
    filesystem, path = _filesystem(url)
    answer: Future[tuple[Any, Any, Any]] = Future()
    asked = filesystem.stat(path, patience, callback=lambda *told: answer.set_result(told))
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


def names_in(url: str, patience: int) -> dict[str, bool] | None:
    """Return the names in a folder, and of each whether it is a folder; None where there is none.

    Raises OSError, also where only some of the servers behind this one have answered.
    """
    from XRootD.client.flags import DirListFlags, StatInfoFlags

    filesystem, path = _filesystem(url)
    _, servers = filesystem.deeplocate(path or "/", _BY_NAME, patience)
    wanted = DirListFlags.STAT
    if servers is not None and len(list(servers)) > 1:  # each tells what it has itself
        wanted |= DirListFlags.LOCATE | DirListFlags.MERGE
    status, found = filesystem.dirlist(path or "/", wanted, patience)
    if not status.ok and any(said in status.message for said in _NO_FOLDER):
        return None
    if not status.ok:
        raise OSError(status.message)
    if status.code == _PARTIAL:
        raise OSError("only some of its servers have told what is in the folder")
    return {each.name: bool(each.statinfo.flags & StatInfoFlags.IS_DIR) for each in found}


def _filesystem(url: str) -> tuple[Any, str]:
    from XRootD import client

    address = client.URL(url)
    filesystem = client.FileSystem(f"{address.protocol}://{address.hostid}")
    return filesystem, str(address.path_with_params)


def root_brings_one() -> bool:
    """Return whether ROOT is here with a client of its own, as in its wheel."""
    found = importlib.util.find_spec("ROOT")
    folders = found.submodule_search_locations if found else None
    return any(any((Path(f) / "lib").glob("libXrdCl.so*")) for f in folders or ())
