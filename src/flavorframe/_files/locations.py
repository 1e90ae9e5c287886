"""Where files are: paths and URLs in their normal form, and which of them name the same file."""

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
    "root": "root", "xroot": "root", "roots": "roots", "xroots": "roots", "http": "http",
    "dav": "http", "https": "https", "davs": "https", "s3": "s3",
}  # fmt: skip
"""The kinds of URL that can be read, each with the one that it is another name of."""
XROOTD = ("root", "roots")
"""The schemes of XRootD: the second is encrypted from the first word on."""
PORTS = {"root": "1094", "roots": "1094", "http": "80", "https": "443"}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_FILE = re.compile(r"file:(?://([^/]*))?(/.*)", re.IGNORECASE | re.DOTALL)
_SERVER = re.compile(
    r"(?P<user>[^@/]*@)?(?P<host>\[[^\]/]*\]|[^:/@\[\]]+)(?::(?P<port>\d*))?(?P<path>([/?#].*)?)",
    re.DOTALL,
)
_TOKEN = re.compile(r"&(authz|access_token)=", re.IGNORECASE)
"""What names a token among the options of a URL."""
_TREE = re.compile(r"(.+\.root):(?!//)([^:]+)", re.IGNORECASE | re.DOTALL)


def is_url(location: str) -> bool:
    """Return whether a location is a URL, and not a path of this machine."""
    return _SCHEME.match(location) is not None


def normalized(location: str) -> str:
    """Return a path or URL in its normal form.

    ``file:`` becomes a path, other names of a scheme become that scheme, and usual ports are left
    out.

    Args:
        location: A path or URL.

    Returns:
        Its normal form, which is its own normal form.

    Raises:
        DatasetError: For a URL that nothing here can read.

    Example:
        >>> normalized("xroot://EOS.cern.ch:1094/eos/a.root")
        'root://eos.cern.ch//eos/a.root'
        >>> normalized("file://localhost/data/a%20b.root")
        '/data/a b.root'
    """
    local = _FILE.fullmatch(location)
    if local is not None:
        return _path_of(location, local[1] or "", local[2])
    found = _SCHEME.match(location)
    if found is None:
        return location
    scheme = SCHEMES.get(found[1].lower())
    if scheme is None:
        raise DatasetError(f"{location}: {_unreadable(found[1].lower())}")
    _refuse_tokens(location)
    rest = location[found.end() :]
    return f"s3://{rest}" if scheme == "s3" else f"{scheme}://{_server_and_path(location, scheme)}"


def _refuse_tokens(url: str) -> None:
    place, _, options = url.partition("?")
    if _TOKEN.search(f"&{options}"):
        raise DatasetError(
            f"{place}?... has a token in it, which would be in every message and result: put the "
            "token into a file of mode 0600, and set BEARER_TOKEN_FILE to that."
        )


def _path_of(url: str, host: str, path: str) -> str:
    if host.lower() not in ("", "localhost"):
        raise DatasetError(
            f"{url} is a file of another machine, {host}: file:// URLs have three slashes, such as "
            f"file:///{host}{path}."
        )
    return os.fsdecode(unquote_to_bytes(os.fsencode(path)))


def _unreadable(scheme: str) -> str:
    known = ", ".join(f"{name}://" for name in SCHEMES)
    return f"{scheme}:// cannot be read: copy the file, or give its path, or one of {known}."


def _server_and_path(url: str, scheme: str) -> str:
    found = _SERVER.fullmatch(url.partition("://")[2])
    if found is None:
        raise DatasetError(f"{url} is not a URL: after {scheme}:// come a server and a path.")
    port = found["port"] or PORTS[scheme]
    at = "" if port == PORTS[scheme] else f":{port}"
    path = _xrootd_path(found["path"]) if scheme in XROOTD else found["path"]
    return f"{found['user'] or ''}{_host(url, found['host'])}{at}{path}"


def _host(url: str, host: str) -> str:
    if not host.startswith("["):
        return host.lower()
    try:
        return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
    except ValueError:
        raise DatasetError(f"{url} is not a URL: {host} is no IPv6 address.") from None


def _xrootd_path(path: str) -> str:
    """Return a path as servers want it: whole, after the slash that ends their own name.

    A slash at its end, which says that it is a folder, stays.
    """
    file, question, options = path.partition("?")
    whole = posixpath.normpath("/" + file.lstrip("/"))
    end = "/" if file.endswith("/") and whole != "/" else ""
    return f"/{whole}{end}{question}{options}"


def named_tree(location: str) -> tuple[str, str | None]:
    """Return a file and the tree that is named behind it, as in ``a.root:Events``, if one is.

    >>> named_tree("root://eos.cern.ch//eos/a.root:Tree3Mu/ntuple")
    ('root://eos.cern.ch//eos/a.root', 'Tree3Mu/ntuple')
    """
    found = _TREE.fullmatch(location)
    if found is None or (is_url(location) and "?" in location) or _is_there(location):
        return location, None
    return found[1], found[2].strip("/") or None


def _is_there(path: str) -> bool:
    return os.path.lexists(path) or any(glob.iglob(path))


def name_key(file: str) -> Hashable:
    """Return a key that all normal forms of one name of a file share."""
    if not is_url(file):
        return os.path.normpath(file)
    scheme, _, rest = file.partition("://")
    if scheme in XROOTD:
        return XROOTD[0], rest.partition("?")[0].rpartition("@")[2]
    if scheme == "s3":  # the names of objects are no paths
        return scheme, rest
    path, question, options = rest.partition("?")
    server, _, path = path.partition("/")
    return scheme, server, _path_key(path), question + options


def _path_key(path: str) -> bytes:
    """Return a key of the paths with which servers of files find the same one.

    A strict reading of URLs tells ``//`` from ``/``, but to count a file twice would be worse.
    """
    return posixpath.normpath(b"/" + unquote_to_bytes(path).lstrip(b"/"))


def file_key(file: str) -> Hashable:
    """Return a key that all names of a file share, links too where the file is on this machine."""
    if is_url(file):
        return name_key(file)
    return _on_disk(file) or _future_key(*os.path.split(os.path.abspath(file)))


def _on_disk(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # not on this machine: opening it will say so
        return None
    return status.st_dev, status.st_ino


def _future_key(folder: str, name: str) -> Hashable:
    return _on_disk(folder) or folder, name


def refuse_repeats(
    files: Iterable[str], where: str, key: Callable[[str], Hashable] = name_key
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
