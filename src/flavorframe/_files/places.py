"""Where files are: paths and URLs, each in one spelling, and which of them are the same file."""

from __future__ import annotations

import glob
import ipaddress
import os
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from urllib.parse import unquote_to_bytes

from flavorframe.errors import DatasetError

SCHEMES = {
    "root": "root", "xroot": "root", "http": "http", "dav": "http", "https": "https",
    "davs": "https", "s3": "s3",
}  # fmt: skip
"""The kinds of URL that can be read, each with the one that it is another name of."""
PORTS = {"root": "1094", "http": "80", "https": "443"}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_FILE = re.compile(r"file:(?://([^/]*))?(/.*)", re.IGNORECASE | re.DOTALL)
_SERVER = re.compile(
    r"(?P<user>[^@/]*@)?(?P<host>\[[^\]/]*\]|[^:/@\[\]]+)(?::(?P<port>\d*))?(?P<path>([/?#].*)?)",
    re.DOTALL,
)
_TREE = re.compile(r"(.+\.root):(?!//)([^:]+)", re.IGNORECASE | re.DOTALL)


def is_url(place: str) -> bool:
    """Return whether a place is a URL, and no path of this machine."""
    return _SCHEME.match(place) is not None


def spelt(place: str) -> str:
    """Return a path or URL in its one spelling: ``file:`` becomes a path, other names of a scheme
    that scheme, and usual ports are left out.

    Raises DatasetError for a URL that nothing here can read.

    >>> spelt("xroot://EOS.cern.ch:1094/eos/a.root"), spelt("file://localhost/data/a%20b.root")
    ('root://eos.cern.ch//eos/a.root', '/data/a b.root')
    """
    local = _FILE.fullmatch(place)
    if local is not None:
        return _path_of(place, local[1] or "", local[2])
    found = _SCHEME.match(place)
    if found is None:
        return place
    scheme = SCHEMES.get(found[1].lower())
    if scheme is None:
        raise DatasetError(f"{place}: {_unreadable(found[1].lower())}")
    rest = place[found.end() :]
    return f"s3://{rest}" if scheme == "s3" else f"{scheme}://{_server_and_path(place, scheme)}"


def _path_of(url: str, host: str, path: str) -> str:
    if host.lower() not in ("", "localhost"):
        raise DatasetError(
            f"{url} is a file of another machine, {host}: file:// URLs have three slashes, such as "
            f"file:///{host}{path}."
        )
    return os.fsdecode(unquote_to_bytes(os.fsencode(path)))


def _unreadable(scheme: str) -> str:
    known = ", ".join(f"{name}://" for name in SCHEMES)
    if scheme in ("roots", "xroots"):
        return f"{scheme}:// cannot be read; root:// can, and is encrypted where the server asks."
    return f"{scheme}:// cannot be read: copy the file, or give its path, or one of {known}."


def _server_and_path(url: str, scheme: str) -> str:
    found = _SERVER.fullmatch(url.partition("://")[2])
    if found is None:
        raise DatasetError(f"{url} is not a URL: after {scheme}:// come a server and a path.")
    port = found["port"] or PORTS[scheme]
    at = "" if port == PORTS[scheme] else f":{port}"
    path = _xrootd_path(found["path"]) if scheme == "root" else found["path"]
    return f"{found['user'] or ''}{_host(url, found['host'])}{at}{path}"


def _host(url: str, host: str) -> str:
    if not host.startswith("["):
        return host.lower()
    try:
        return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
    except ValueError:
        raise DatasetError(f"{url} is not a URL: {host} is no IPv6 address.") from None


def _xrootd_path(path: str) -> str:
    """Return a path as servers want it: whole, after the slash that ends their own name."""
    file, question, options = path.partition("?")
    return f"/{posixpath.normpath('/' + file.lstrip('/'))}{question}{options}"


def named_tree(place: str) -> tuple[str, str | None]:
    """Return a file and the tree that is named behind it, as in ``a.root:Events``, if one is.

    >>> named_tree("root://eos.cern.ch//eos/a.root:Tree3Mu/ntuple")
    ('root://eos.cern.ch//eos/a.root', 'Tree3Mu/ntuple')
    """
    found = _TREE.fullmatch(place)
    if found is None or (is_url(place) and "?" in place) or _is_there(place):
        return place, None
    return found[1], found[2].strip("/") or None


def _is_there(path: str) -> bool:
    return os.path.lexists(path) or any(glob.iglob(path))


def spelling(file: str) -> Hashable:
    """Return what names of one file have in common, each in its one spelling."""
    if not is_url(file):
        return os.path.normpath(file)
    scheme, _, rest = file.partition("://")
    if scheme == "root":
        return scheme, rest.partition("?")[0].rpartition("@")[2]
    path, question, options = rest.partition("?")
    return scheme, unquote_to_bytes(path) if scheme != "s3" else path, question + options


def identity(file: str) -> Hashable:
    """Return what all names of a file have in common, links too where the file is at hand."""
    if is_url(file):
        return spelling(file)
    return _on_disk(file) or _not_yet(*os.path.split(os.path.abspath(file)))


def _on_disk(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # not on this machine, which is told when it is opened
        return None
    return status.st_dev, status.st_ino


def _not_yet(folder: str, name: str) -> Hashable:
    return _on_disk(folder) or folder, name


def refuse_repeats(
    files: Iterable[str], where: str, key: Callable[[str], Hashable] = spelling
) -> None:
    """Raise DatasetError where a file is listed twice, by whatever name."""
    names = tuple(files)
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DatasetError(
            f"{where}: {name} is listed {count} times; its events would count double."
        )
    seen: dict[Hashable, str] = {}
    for file in names:
        first = seen.setdefault(key(file), file)
        if first != file:
            raise DatasetError(
                f"{where}: {first} and {file} are the same file; its events would count double."
            )
